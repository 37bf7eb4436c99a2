// The keyboard of the desk. One listener for the whole document: what htmx swaps in needs nothing of its own.
// Keys are letters as typed, not places on the keyboard, so that they work on every layout.
(() => {
const ROOMS = { q: "/queue", a: "/approvals", l: "/cases", c: "/campaigns", m: "/members" };
const WAIT_FOR_ROOM = 1500;
let goingSince = 0;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") return escape(event);
  if (document.documentElement.dataset.keys === "off" || isTyping(event.target)) return;
  if (help()?.open) return;
  const going = Date.now() - goingSince < WAIT_FOR_ROOM;
  goingSince = 0;
  if (going && event.key in ROOMS) return go(event, ROOMS[event.key]);
  const act = KEYS[event.key];
  if (act && act(event) !== false) event.preventDefault();
});

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => open(),
  x: () => tick(),
  n: () => follow("a.next-case"),
  a: () => focusOn("#actions button:not([disabled]), #actions a, #decide button:not([disabled]), #decide a"),
  e: () => focusOn("#note-text"),
  c: () => visit("/cases/new"),
  g: () => { goingSince = Date.now(); },
  "/": () => focusOn("#search, #again"),
  "?": () => showHelp(),
};

// Typing is writing into a field, not ticking a box or standing on a button.
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "submit", "reset"].includes(target.type);
}

// The line one is on is the one with the focus; lines are found by their link, in the order of the page.
const links = () => [...document.querySelectorAll("main a.row-link")].filter((link) => link.offsetParent !== null);

function here() {
  const line = document.activeElement?.closest("tr, li, article");
  return line?.querySelector("a.row-link") ?? null;
}

function step(by) {
  const all = links();
  if (!all.length) return false;
  const at = all.indexOf(here());
  const to = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by));
  all[to].focus();
  all[to].scrollIntoView({ block: "nearest" });
}

// Enter on the link itself is the browser's own; on the box of a line it opens the line, as "o" does.
function open() {
  const link = here();
  if (!link) return false;
  link.click();
}

document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.key !== "Enter" || !(box instanceof HTMLInputElement) || box.type !== "checkbox" || !here()) return;
  event.preventDefault();
  open();
});

function tick() {
  const box = here()?.closest("tr, li, article")?.querySelector("input[type=checkbox]");
  if (!box) return false;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

function follow(css) {
  const link = document.querySelector(css);
  if (!link) return false;
  link.click();
}

function go(event, path) {
  event.preventDefault();
  visit(path);
}

function visit(path) {
  const link = document.querySelector(`a[href="${path}"]`);
  if (link) link.click();
  else location.assign(path);
}

function focusOn(css) {
  const folded = (each) => each.closest("details:not([open])");
  const found = [...document.querySelectorAll(css)].find((each) => each.offsetParent !== null || folded(each));
  if (!found) return false;
  folded(found)?.setAttribute("open", "");
  found.focus();
  if (found instanceof HTMLInputElement) found.select();
}

const help = () => document.getElementById("keys-help");

function showHelp() {
  const dialog = help();
  if (dialog?.showModal) dialog.showModal();
  else location.assign("/keys");
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("#show-keys") && help()?.showModal && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    event.stopPropagation();
    showHelp();
  } else if (event.target === help()) help().close(); // a click beside the list
}, true);

// Escape leaves a field; menus and dialogs close by themselves, an open filter here.
function escape(event) {
  goingSince = 0;
  if (help()?.open) return;
  const panel = document.querySelector(".worklist-chips details[open]");
  if (panel && (panel.contains(event.target) || event.target === document.body)) {
    panel.open = false;
    panel.querySelector("summary").focus();
  } else if (isTyping(event.target)) event.target.blur();
}
})();
