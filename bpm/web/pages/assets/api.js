// Search, copy, and the place in the list. The page is complete without any of it.

const box = document.querySelector(".search");
const input = box.querySelector("input");
const index = document.querySelector(".index");
const links = new Map([...index.querySelectorAll("li")].map((item) => [item.dataset.name, item]));
const messages = [...document.querySelectorAll("article")];
const texts = new Map(messages.map((message) => [message, message.textContent.toLowerCase()]));
const narrow = matchMedia("(max-width: 52rem)");

function search() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const message of messages) {
    message.hidden = !words.every((word) => texts.get(message).includes(word));
    links.get(message.dataset.name).hidden = message.hidden;
  }
  for (const area of document.querySelectorAll("[data-area]")) {
    area.hidden = ![...area.querySelectorAll("[data-name]")].some((each) => !each.hidden);
  }
  document.querySelector(".intro").hidden = words.length > 0;
  document.querySelector(".nothing").hidden = messages.some((message) => !message.hidden);
}

function shortcut(event) {
  if (event.key === "/" && document.activeElement !== input) {
    event.preventDefault();
    input.select();
  } else if (event.key === "Escape" && document.activeElement === input) {
    input.value = "";
    search();
  }
}

async function copy(event) {
  const button = event.currentTarget;
  await navigator.clipboard.writeText(button.closest("figure").querySelector("pre").textContent);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

function follow(entries) {
  for (const entry of entries) {
    const link = links.get(entry.target.dataset.name).firstElementChild;
    if (entry.isIntersecting) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function fold() {
  index.open = !narrow.matches;
}

box.hidden = false;
input.addEventListener("input", search);
document.addEventListener("keydown", shortcut);
for (const button of document.querySelectorAll(".copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", copy);
}
const eye = new IntersectionObserver(follow, { rootMargin: "-80px 0px -75% 0px" });
for (const message of messages) eye.observe(message);
narrow.addEventListener("change", fold);
index.addEventListener("click", (event) => event.target.closest("a") && fold());
fold();
