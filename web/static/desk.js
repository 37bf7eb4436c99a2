// What makes the desk quick where scripts run. Nothing here is needed to work: every page works without it.

// After a link was followed by htmx: say where we are, and put the focus where the page begins.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.boosted || event.target === document.body) arrived();
});
document.addEventListener("DOMContentLoaded", () => arrived(false));

function arrived(moved = true) {
  const wanted = document.querySelector("[data-focus]");
  if (wanted) wanted.focus();
  else if (moved && (!document.activeElement || document.activeElement === document.body)) {
    document.getElementById("main")?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
  document.querySelectorAll(".process-diagram .current").forEach(showInItsBox);
  document.querySelectorAll("details.me[open]").forEach((each) => { each.open = false; });
}

// A drawing that is larger than its box opens where the case is. The page itself stays where it is.
function showInItsBox(state) {
  const box = state.closest(".process-diagram");
  const [at, frame] = [state.getBoundingClientRect(), box.getBoundingClientRect()];
  box.scrollTop += at.top + at.height / 2 - (frame.top + frame.height / 2);
  box.scrollLeft += at.left + at.width / 2 - (frame.left + frame.width / 2);
}

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
  const open = document.querySelector("details.me[open]");
  if (open) { open.open = false; open.querySelector("summary").focus(); }
});
document.addEventListener("click", (event) => {
  const open = document.querySelector("details.me[open]");
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
