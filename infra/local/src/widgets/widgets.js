// Does for a widget what CloudWatch does: calls its function with a `widgetContext`, shows the HTML, and gives
// each `cwdb-action` its behaviour on the element before it.
"use strict";

const byId = (id) => document.getElementById(id);
const chosen = (id) => byId(id).value;

// The values of every named field in a widget, as CloudWatch hands them over.
function fields(element) {
  const all = {};
  for (const field of element.querySelectorAll("input[name], select[name], textarea[name]")) {
    if (field.type === "radio" && !field.checked) continue;
    all[field.name] = field.type === "checkbox" ? field.checked : field.value;
  }
  return all;
}

function context(widget) {
  const end = Date.now();
  const box = widget.content.getBoundingClientRect();
  return {
    dashboardName: "local",
    widgetId: widget.id,
    accountId: "000000000000",
    locale: "en",
    timezone: { label: "UTC", offsetISO: "+00:00", offsetInMinutes: 0 },
    period: 300,
    isAutoPeriod: true,
    timeRange: { mode: "relative", start: end - 10800000, end, relativeStart: 10800000 },
    theme: chosen("theme"),
    linkCharts: true,
    title: widget.title,
    forms: { all: fields(widget.content) },
    params: widget.params,
    width: Math.round(box.width),
    height: Math.round(box.height),
  };
}

async function call(widget, arn, params) {
  const event = { ...params, widgetContext: context(widget) };
  const answer = await fetch("/console/call/" + encodeURIComponent(arn), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(event),
  });
  return answer.json();
}

// HTML is shown as it is, without what CloudWatch takes out of it; anything else as text.
function show(widget, element, answer) {
  if (typeof answer !== "string") {
    element.textContent = answer.markdown || answer.errorMessage || JSON.stringify(answer, null, 1);
    return;
  }
  element.innerHTML = answer;
  for (const forbidden of element.querySelectorAll("script, iframe, use")) forbidden.remove();
  for (const action of element.querySelectorAll("cwdb-action")) {
    const before = action.previousElementSibling;
    action.hidden = true;
    if (before) before.addEventListener(action.getAttribute("event") || "click", () => act(widget, action));
  }
}

async function act(widget, action) {
  const question = action.getAttribute("confirmation");
  if (question && !window.confirm(question)) return;
  const popup = action.getAttribute("display") !== "widget";
  const target = popup ? byId("popup-content") : widget.content;
  widget.frame.classList.add("busy");
  try {
    const answer = action.getAttribute("action") === "call"
      ? await call(widget, action.getAttribute("endpoint"), JSON.parse(action.textContent || "{}"))
      : action.innerHTML;
    show(widget, target, answer);
    if (popup) byId("popup").showModal();
  } catch (error) {
    target.textContent = "The function did not answer: " + error;
  } finally {
    widget.frame.classList.remove("busy");
  }
}

function frame(page, title) {
  const box = document.createElement("section");
  box.className = "widget";
  box.style.width = chosen("width");
  const head = document.createElement("div");
  head.className = "title";
  head.textContent = title;
  const content = document.createElement("div");
  content.className = "content";
  content.textContent = "…";
  box.append(head, content);
  byId("dashboard").append(box);
  return { id: "widget-" + page, title, params: { page }, frame: box, content };
}

async function dashboard() {
  document.body.classList.toggle("dark", chosen("theme") === "dark");
  byId("dashboard").replaceChildren();
  const only = chosen("pages");
  const pages = [...byId("pages").options].filter((option) => option.value && (!only || option.value === only));
  for (const page of pages) {
    const widget = frame(page.value, page.text);
    try {
      show(widget, widget.content, await call(widget, chosen("role"), widget.params));
    } catch (error) {
      widget.content.textContent = "The function did not answer: " + error;
    }
  }
}

// An address such as /console?role=operator&theme=dark&width=400px&pages=limits says what to show.
for (const [name, value] of new URLSearchParams(location.search)) {
  const select = ["role", "theme", "width", "pages"].includes(name) ? byId(name) : null;
  const option = select && [...select.options].find((option) => option.value === value || option.text === value);
  if (option) select.value = option.value;
}
for (const id of ["role", "theme", "width", "pages"]) byId(id).addEventListener("change", dashboard);
byId("close").addEventListener("click", () => byId("popup").close());
dashboard();
