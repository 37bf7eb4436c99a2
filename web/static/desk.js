// What makes the desk quick where scripts run. Nothing here is needed to work: every page works without it.

// After a link was followed by htmx: say where we are, and put the focus where the page begins.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.boosted || event.target === document.body) arrived();
});
document.addEventListener("DOMContentLoaded", () => {
  arrived(false);
  if (performance.getEntriesByType("navigation")[0]?.type !== "navigate") comeBack();
});

function arrived(moved = true) {
  const wanted = document.querySelector("[data-focus]");
  if (wanted) wanted.focus();
  else if (moved && (!document.activeElement || document.activeElement === document.body)) {
    standAtHeading();
    window.scrollTo({ top: 0, behavior: "instant" });
  }
  if (moved) sayWhatCameOfIt();
  document.querySelectorAll(".process-diagram .current").forEach(showInItsBox);
  document.querySelectorAll("details.drop[open]").forEach((each) => { each.open = false; });
}

// Whoever listens hears the heading of the new page, and then what came of a form: a message that came together with
// a page is not read out by itself.
function standAtHeading() {
  const heading = document.querySelector("main h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
function sayWhatCameOfIt() {
  const said = document.querySelector("main > .alert[role=status]")?.textContent.trim();
  const live = document.getElementById("live");
  if (said && live) setTimeout(() => { live.textContent = said; }, 150);
}

// Who comes back to a list by the browser's way back stands where they were: on the line they had opened or, where
// that has moved on, on the line that took its place. What was ticked is ticked.
const stoodAt = (address) => `muster list ${address}`;
const lineLinks = () => [...document.querySelectorAll("main a.row-link")];
const caseBoxes = () => [...document.querySelectorAll("input[type=checkbox][name=bulk-case]")];
const caseOf = (box) => box.value.split("@")[0]; // the rest is the version that was seen, which may have changed

function remember(event) {
  const lines = lineLinks();
  if (!lines.length) return;
  const line = event.target.closest?.("tr, li, article");
  const at = lines.findIndex((link) => line?.contains(link));
  const ticked = caseBoxes().filter((box) => box.checked).map(caseOf);
  const stood = { at, line: lines[at]?.getAttribute("href"), y: window.scrollY, ticked };
  keep(stoodAt(location.pathname + location.search), stood);
}
document.addEventListener("click", remember, true);
document.addEventListener("submit", (event) => {
  remember(event);
  const list = event.target.action.endsWith("/bulk/do") && event.target.elements["bulk-from"]?.value;
  if (list) keep(stoodAt(list), { ...kept(stoodAt(list)), ticked: [] });
}, true);

function comeBack() {
  const stood = kept(stoodAt(location.pathname + location.search));
  if (!stood) return;
  caseBoxes().forEach((box) => { box.checked = stood.ticked.includes(caseOf(box)); });
  const lines = lineLinks();
  const now = lines.findIndex((link) => link.getAttribute("href") === stood.line);
  const line = lines[now >= 0 && now <= stood.at ? now : Math.min(stood.at, lines.length - 1)];
  window.scrollTo({ top: stood.y, behavior: "instant" });
  line?.focus({ preventScroll: true });
  line?.scrollIntoView({ block: "nearest", behavior: "instant" });
}

// A browser may refuse to keep anything; then one begins at the top.
function keep(name, value) {
  try { sessionStorage.setItem(name, JSON.stringify(value)); } catch { /* refused */ }
}
function kept(name) {
  try { return JSON.parse(sessionStorage.getItem(name)); } catch { return null; }
}

// The way back does not lead to a form that was sent: what came of it takes its place.
document.addEventListener("htmx:beforeHistoryUpdate", (event) => {
  const { requestConfig, pathInfo, history } = event.detail;
  if (requestConfig?.verb !== "post") return;
  const led = [pathInfo.requestPath, history.path].map((path) => path.split(/[?#]/)[0]);
  if (led.includes(location.pathname) || location.pathname.startsWith("/bulk")) history.type = "replace";
});

// A drawing that is larger than its box opens where the case is. The page itself stays where it is.
function showInItsBox(state) {
  const box = state.closest(".process-diagram");
  const [at, frame] = [state.getBoundingClientRect(), box.getBoundingClientRect()];
  box.scrollTop += at.top + at.height / 2 - (frame.top + frame.height / 2);
  box.scrollLeft += at.left + at.width / 2 - (frame.left + frame.width / 2);
}

document.addEventListener("change", (event) => {
  if (event.target.id === "diagram-large") document.querySelectorAll("#diagram .current").forEach(showInItsBox);
});

// A second click on a button sends nothing a second time.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent && Date.now() - Number(form.dataset.sent) < 3000) {
    event.preventDefault();
    event.stopImmediatePropagation();
  } else form.dataset.sent = String(Date.now());
}, true);

// Menus close with Escape and with a click elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.drop[open]");
  if (open) { open.open = false; open.querySelector("summary").focus(); }
});
document.addEventListener("click", (event) => {
  const open = document.querySelector("details.drop[open]");
  if (open && !open.contains(event.target)) open.open = false;
});

// "Tick all on this page": <input type="checkbox" data-ticks="name of the boxes">
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.ticks;
  if (!name) return;
  document.querySelectorAll(`input[type=checkbox][name="${CSS.escape(name)}"]`).forEach((box) => { box.checked = event.target.checked; });
});

// A choice that acts at once: <select data-submits> in a form with a button for those without scripts.
document.addEventListener("change", (event) => {
  if (event.target.dataset && "submits" in event.target.dataset) event.target.form.requestSubmit();
});
document.documentElement.classList.add("scripts");
