"""Processes: the engine by itself, the same five elements by other engines, and instances through a server."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

from bpm.bpmn import Instance, advance, load
from bpm.bpmn.triggers import Start
from tests.bench.benchmark import Figure, Measure
from tests.bench.load import Request, send
from tests.bench.stage import Stage

NODE_MODULES = "BPM_BENCH_NODE_MODULES"
"""Names the folder with npm's `bpmn-engine`."""

MODEL = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
 xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="bench">
 <process id="bench" isExecutable="true">{}</process></definitions>"""
FIVE = (
    '<startEvent id="s"/><task id="a"/><exclusiveGateway id="g" default="g-b"/><task id="b"/><endEvent id="e"/>',
    ("s", "a", "g", "b", "e"),
)
LOOP = (
    '<startEvent id="s"/><exclusiveGateway id="j"/><scriptTask id="t"><extensionElements>'
    '<zeebe:script expression="=i + 1" resultVariable="i"/></extensionElements></scriptTask>'
    '<exclusiveGateway id="g" default="g-e"/><endEvent id="e"/><sequenceFlow id="g-j" sourceRef="g" targetRef="j">'
    "<conditionExpression>=i &lt; 100</conditionExpression></sequenceFlow>",
    ("s", "j", "t", "g", "e"),
)
NODE = """
const { Engine } = require(process.argv[1] + "/bpmn-engine");
const source = require("fs").readFileSync(process.argv[2], "utf8");
const until = Date.now() + 1000 * Number(process.argv[3]);
(async () => {
  let units = 0; const started = process.hrtime.bigint(); const cpu = process.cpuUsage();
  while (Date.now() < until) { await new Engine({ name: "bench", source }).execute(); units++; }
  const spent = process.cpuUsage(cpu);
  console.log(JSON.stringify({ units, seconds: Number(process.hrtime.bigint() - started) / 1e9,
                               cpu: (spent.user + spent.system) / 1e6 }));
})();
"""


def model(elements: str, path: tuple[str, ...]) -> str:
    """A file whose elements are joined by flows along a path."""
    flows = "".join(f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairwise(path))
    return MODEL.format(elements + flows)


def engine(source: str, **variables: Any) -> Measure:
    """Instances from start to end in the engine alone."""
    process, now = load(source), datetime.now(UTC)

    def unit() -> None:
        instance, _ = advance(process, Instance(), Start(variables), now)
        assert instance.status == "COMPLETED"

    return lambda seconds: _timed(unit, seconds)


def five(_stage: Stage) -> Measure:
    """Start event, task, gateway, task, end event."""
    return engine(model(*FIVE))


def loop(_stage: Stage) -> Measure:
    """A hundred times round through two gateways and an expression."""
    return engine(model(*LOOP), i=0)


def deploying(_stage: Stage) -> Measure:
    """Read and compile 500 tasks with the 500 flows between them."""
    names = tuple(f"n{number}" for number in range(500))
    tasks = "".join(f'<task id="{name}" name="Task {name}"/>' for name in names[1:-1])
    source = model(f'<startEvent id="n0"/>{tasks}<endEvent id="n499"/>', names)

    def unit() -> None:
        load(source)

    return lambda seconds: _timed(unit, seconds)


def over_http(stage: Stage) -> Measure:
    """Start the five elements by a command; each instance is on disk, with its history, before the answer."""
    product = stage.product()
    definition = product.send("CreateProcessDefinitionCommand", name="bench", bpmnXml=model(*FIVE))["id"]
    fields = {"processDefinitionId": definition, "executionMode": "FireAndForget"}
    body = json.dumps({"$type": "StartProcessInstanceCommand", **fields}).encode()

    def measure(seconds: int) -> Figure:
        request = Request("/api/bpm/cmd", '"COMPLETED"', body, product.authorization())
        return send(product.server, request, stage.connections, seconds)

    return measure


def others() -> Iterator[tuple[str, str, Callable[[Stage], Measure]]]:
    """The other engines that are installed; the ones that are not are said."""
    if find_spec("SpiffWorkflow"):
        yield "spiff", "SpiffWorkflow", spiff
    else:
        print("SpiffWorkflow is not installed, so it is not measured: pip install SpiffWorkflow")
    if shutil.which("node") and os.environ.get(NODE_MODULES):
        yield "node", "npm's bpmn-engine", node
    else:
        print(f"npm's bpmn-engine is not measured: install it and name its node_modules in {NODE_MODULES}")


def spiff(_stage: Stage) -> Measure:
    """The same by SpiffWorkflow, from a definition parsed before."""
    parser = import_module("SpiffWorkflow.bpmn.parser").BpmnParser()
    workflow = import_module("SpiffWorkflow.bpmn").BpmnWorkflow
    with tempfile.NamedTemporaryFile("w", suffix=".bpmn") as file:
        file.write(model(*FIVE))
        file.flush()
        parser.add_bpmn_file(file.name)
    spec = parser.get_spec("bench")

    def unit() -> None:
        instance = workflow(spec)
        instance.run_all(halt_on_manual=False)
        assert instance.is_completed()

    return lambda seconds: _timed(unit, seconds)


def node(stage: Stage) -> Measure:
    """The same by npm's bpmn-engine, which parses the file for each instance."""
    file = Path(stage.folder) / "five.bpmn"
    file.write_text(model(*FIVE))

    def measure(seconds: int) -> Figure:
        command = ["node", "-e", NODE, os.environ[NODE_MODULES], str(file), str(seconds)]
        return Figure(**json.loads(subprocess.run(command, capture_output=True, check=True).stdout))

    return measure


def _timed(unit: Callable[[], None], seconds: int) -> Figure:
    start, cpu = time.perf_counter(), time.process_time()
    units = 0
    while time.perf_counter() - start < seconds:
        unit()
        units += 1
    return Figure(units, time.perf_counter() - start, time.process_time() - cpu)
