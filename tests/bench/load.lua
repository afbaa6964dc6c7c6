-- Sends the request of a file over and over and checks every answer.
-- Arguments: the file, which holds the HTTP request as sent, and a text that every right answer contains.
-- {n} in the request becomes a running number.

local threads = {}
local head, tail, expected
local number = 0

refused, wrong, sample = 0, 0, ""

function setup(thread)
  threads[#threads + 1] = thread
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  head, tail = file:read("*a"):match("^(.-){n}(.*)$")
  expected = arguments[2]
  file:close()
end

function request()
  number = number + 1
  return head .. number .. tail
end

function response(status, _, body)
  if status < 200 or status > 299 then
    refused = refused + 1
  elseif not body:find(expected, 1, true) then
    wrong = wrong + 1
  else
    return
  end
  sample = status .. " " .. body:sub(1, 300)
end

function done(summary, latency)
  local thread, errors = threads[1], summary.errors
  local form = '\nRESULT {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "refused": %d, "wrong": %d, "broken": %d}'
  print(string.format(form, summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, thread:get("refused"), thread:get("wrong"),
    errors.connect + errors.read + errors.write + errors.timeout))
  print(thread:get("sample"))
end
