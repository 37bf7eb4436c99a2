// What makes the members' own pages quick where scripts run. Nothing here is needed: every page works without it.
// Which questions are asked is never decided here: the server sends the section anew, and this puts it in place.
(() => {
  document.documentElement.classList.add("scripts");
  const ready = () => {
    if (!goTo(location.hash)) document.querySelector("[data-focus]")?.focus();
    document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));
    document.querySelectorAll("form[data-autosave]").forEach(saveAsTheyGo);
  };

  // A link to a question leads into its first control: who cannot see, or has no mouse, can answer at once.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && goTo(link.hash)) event.preventDefault();
  });

  function goTo(hash) {
    const place = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!place || place.matches("main")) return false;
    const control = place.matches("input, select, textarea") ? place : controls(place)[0] || place.querySelector("input[type=file]");
    if (!control) return false;
    place.scrollIntoView();
    control.focus({ preventScroll: true });
    return true;
  }

  // More than the server takes is said before it is sent: on a telephone that is minutes of waiting for nothing.
  const MOST = 30 * 1024 * 1024;
  document.addEventListener("submit", (event) => {
    const files = tooLarge(event.target);
    if (!files) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    files.focus();
  }, true);
  document.addEventListener("change", (event) => { if (event.target.type === "file") tooLarge(event.target.form); }, true);

  function tooLarge(form) {
    const inputs = [...form.querySelectorAll("input[type=file]")];
    const bytes = inputs.flatMap((each) => [...each.files]).reduce((sum, file) => sum + file.size, 0);
    const last = inputs.findLast((each) => each.files.length), there = form.querySelector("[data-too-large]");
    if (bytes <= MOST) {
      there?.remove();
      return null;
    }
    if (there) return last;
    last.after(alarm("tooLarge", `These files are ${Math.ceil(bytes / 1048576)} MB together, and 30 MB is the most that can be sent at once. Please choose fewer or smaller ones. What you typed stays here.`));
    return last;
  }

  function alarm(name, words) {
    const told = document.createElement("p");
    told.className = "invalid-feedback d-block";
    told.dataset[name] = "";
    told.setAttribute("role", "alert");
    told.textContent = words;
    return told;
  }

  // Without a connection the browser would put its own page in the place of what was typed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    form.querySelector("[data-no-connection]")?.remove();
    if (navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    (event.submitter || form.lastElementChild).after(alarm("noConnection", "There is no connection, so nothing was sent. What you typed stays here: press the button again when the connection is back."));
  }, true);

  // A second click on a button sends nothing a second time.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent && Date.now() - Number(form.dataset.sent) < 3000) event.preventDefault();
    else form.dataset.sent = String(Date.now());
  }, true);
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

  // A text that is too long is not cut off unseen: it is counted, and what is too much stays for its writer to shorten.
  document.addEventListener("input", (event) => {
    const most = Number(event.target.dataset?.most);
    if (!most) return;
    const left = most - [...event.target.value].length, there = event.target.nextElementSibling;
    let told = there?.matches("[data-count]") ? there : null;
    if (left > Math.max(20, most / 5)) {
      told?.remove();
      return;
    }
    if (!told) {
      told = document.createElement("p");
      told.dataset.count = "";
      told.setAttribute("role", "status");
      event.target.after(told);
    }
    told.className = left < 0 ? "invalid-feedback d-block" : "form-hint";
    const signs = `${Math.abs(left).toLocaleString("en-GB")} character${Math.abs(left) === 1 ? "" : "s"}`;
    told.textContent = left < 0 ? `${signs} too many. Please shorten it.` : `${signs} left.`;
  });

  function saveAsTheyGo(form) {
    const place = `typed:${location.pathname}`, dirty = new Set();
    let waiting = null, running = null, next = null, leaving = false, going = false, cutOff = false;
    form.addEventListener("change", (event) => noted(event.target, 600));
    form.addEventListener("input", (event) => noted(event.target, 2500));
    form.addEventListener("submit", onSubmit);
    window.addEventListener("pageshow", () => { leaving = false; });
    window.addEventListener("pagehide", beforeGoing);
    document.addEventListener("visibilitychange", () => { if (document.hidden) beforeGoing(); });
    window.addEventListener("beforeunload", (event) => { if (cutOff && dirty.size && !leaving) event.preventDefault(); });
    window.addEventListener("online", () => { if (dirty.size) soon(0); });
    bringBack();

    function noted(control, milliseconds) {
      const box = control.closest("[data-question]");
      if (box) dirty.add(box.dataset.question);
      keep();
      soon(milliseconds);
    }

    // What is not saved yet is kept in this tab until it is: telephones throw away pages that nobody looks at.
    function keep() {
      const kept = {};
      for (const box of boxes(form)) {
        if (!dirty.has(box.dataset.question)) continue;
        const said = Object.fromEntries(controls(box).map((each) => [key(each), spoken(each)]));
        kept[box.dataset.question] = { seen: box.querySelector("[data-seen]").value, said };
      }
      try {
        if (dirty.size) sessionStorage.setItem(place, JSON.stringify(kept)); else sessionStorage.removeItem(place);
      } catch { /* not allowed, or no room: then the page itself is all there is */ }
    }

    function bringBack() {
      let kept = null;
      try { kept = JSON.parse(sessionStorage.getItem(place)); } catch { /* as above */ }
      for (const box of boxes(form)) {
        const mine = kept?.[box.dataset.question];
        const other = controls(box).filter((each) => mine && key(each) in mine.said && mine.said[key(each)] !== spoken(each));
        if (!other.length) continue;
        for (const each of other) {
          if (ticked(each)) each.checked = mine.said[key(each)]; else each.value = mine.said[key(each)];
          each.closest("details")?.setAttribute("open", "");
        }
        box.querySelector("[data-seen]").value = mine.seen;
        dirty.add(box.dataset.question);
      }
      keep();
      if (dirty.size) soon(0);
    }

    // What was typed in the last moment, without files: the browser sends this even when the page is gone.
    function beforeGoing() {
      if (leaving || !dirty.size) return;
      const sent = new FormData(form);
      form.querySelectorAll("input[type=file]").forEach((each) => sent.delete(each.name));
      fetch(form.action, { method: "POST", body: sent, keepalive: true, headers: { "HX-Request": "true", "X-Autosave": "1" } }).catch(() => {});
    }

    // A button saves first, as typing does: where the connection is gone the page stays, with everything in it.
    async function onSubmit(event) {
      if (event.defaultPrevented) return;
      clearTimeout(waiting);
      if (going || !(dirty.size || running)) {
        leaving = true;
        return;
      }
      event.preventDefault();
      // Whoever was told that somebody else has answered, and presses the button, means their own answer.
      form.querySelectorAll("[data-next]").forEach((box) => { box.querySelector("[data-seen]").value = box.dataset.next; });
      const what = await save();
      delete form.dataset.sent;
      if (what === "gone") return;
      if (what === "saved") {
        dirty.clear();
        keep();
      }
      going = true;
      form.requestSubmit(event.submitter);
      going = false;
    }

    function soon(milliseconds) {
      if (leaving) return;
      clearTimeout(waiting);
      waiting = setTimeout(save, milliseconds);
    }

    // One after the other; what is typed while one is on its way goes with the next. Returns what became of it.
    function save() {
      next ??= (async () => {
        await running;
        next = null;
        running = send();
        const what = await running;
        running = null;
        return what;
      })();
      return next;
    }

    async function send() {
      if (leaving) return "saved";
      const sent = new FormData(form);
      if (tooLarge(form)) form.querySelectorAll("input[type=file]").forEach((each) => sent.delete(each.name));
      const files = [...sent.values()].some((each) => each.size), typed = new Map(boxes(form).map((box) => [box.dataset.question, state(box)]));
      const own = new Set(dirty);
      say(form, "Saving …");
      try {
        const answer = await fetch(form.action, {
          method: "POST", body: sent, credentials: "same-origin", headers: { "HX-Request": "true", "X-Autosave": "1" },
          signal: files ? undefined : AbortSignal.timeout(30000),
        });
        const found = new DOMParser().parseFromString(await answer.text(), "text/html");
        const questions = found.querySelector("[data-questions]");
        cutOff = false;
        if (questions && !leaving) put(form, questions, (box) => ({
          sent: own.has(box.dataset.question), since: dirty.has(box.dataset.question) && state(box) !== typed.get(box.dataset.question),
        }));
        if (questions && answer.ok) {
          settle(typed);
          return "saved";
        }
        say(form, "Not saved. Please use the button below.");
        return "refused";
      } catch {
        cutOff = true;
        say(form, "Not saved: there is no connection. What you typed stays here; it is tried again.");
        setTimeout(() => soon(0), 15000);
        return "gone";
      }
    }

    // An answer that does not fit, or that somebody else has given meanwhile, is not saved: it is still kept here.
    function settle(typed) {
      const there = new Map(boxes(form).map((box) => [box.dataset.question, box]));
      for (const name of [...dirty]) {
        const box = there.get(name);
        if (!box || (state(box) === typed.get(name) && !box.querySelector("[data-messages] > *"))) dirty.delete(name);
      }
      keep();
    }
  }

  const boxes = (form) => [...form.querySelectorAll("[data-question]")];
  const ticked = (control) => control.type === "checkbox" || control.type === "radio";
  const spoken = (control) => (ticked(control) ? control.checked : control.value);
  const key = (control) => (ticked(control) ? `${control.name}=${control.value}` : control.name);
  const controls = (box) => [...box.querySelectorAll("input, select, textarea")].filter((each) => each.name && !["hidden", "file"].includes(each.type));

  // What stands in the controls of a question, to see whether somebody went on typing meanwhile.
  function state(box) {
    const files = [...box.querySelectorAll("input[type=file]")].map((each) => each.value);
    return [...controls(box).map(spoken), ...files].join("\u0000");
  }

  function say(form, words) {
    const place = form.querySelector("[data-saved]");
    if (place && place.textContent !== words) place.textContent = words;
    place?.classList.toggle("saved-not", words.startsWith("Not saved"));
  }

  // Put the answer of the server in place: questions come and go; what somebody types in stays as it is.
  function put(form, fresh, whose) {
    const old = form.querySelector("[data-questions]");
    const present = new Map([...old.querySelectorAll(":scope > [data-question]")].map((box) => [box.dataset.question, box]));
    const wanted = [...fresh.querySelectorAll(":scope > [data-question]")];
    let after = old.querySelector("[data-answered]");
    for (const box of wanted) {
      const mine = present.get(box.dataset.question);
      after = mine ? renew(mine, box, whose(mine)) : added(after, box);
      present.delete(box.dataset.question);
    }
    for (const box of present.values()) box.remove();
    const summary = old.querySelector("[data-summary]"), news = fresh.querySelector("[data-summary]").innerHTML;
    if (summary.innerHTML.trim() !== news.trim()) summary.innerHTML = news;
    say(form, fresh.querySelector("[data-saved]").textContent);
    const told = fresh.querySelector("[data-answered]").textContent;
    document.querySelectorAll("[data-progress]").forEach((each) => { each.textContent = told; });
  }

  function added(after, box) {
    after.after(document.adoptNode(box));
    return box;
  }

  // A question that nobody typed in here shows what a colleague has answered meanwhile; saving must not take it back.
  function renew(mine, fresh, { sent, since }) {
    const seen = fresh.querySelector("[data-seen]").value, faster = fresh.querySelector("[data-conflict]");
    if (since) {
      if (sent && !faster) mine.querySelector("[data-seen]").value = seen;  // what was sent before is there now
      return mine;
    }
    if (!sent && state(mine) !== state(fresh)) {
      if (mine.contains(document.activeElement)) return mine;
      if (mine.querySelector("details[open]")) fresh.querySelector("details")?.setAttribute("open", "");
      mine.replaceWith(document.adoptNode(fresh));
      return fresh;
    }
    const names = ["[data-messages]", "[data-worked-out]", "legend", ":scope > label.form-label"];
    for (const name of names) {
      const there = mine.querySelector(name), here = fresh.querySelector(name);
      if (there && here && there.innerHTML !== here.innerHTML) there.innerHTML = here.innerHTML;
    }
    mine.className = fresh.className;
    if (faster) mine.dataset.next = seen;
    else {
      mine.querySelector("[data-seen]").value = seen;
      delete mine.dataset.next;
    }
    const files = mine.querySelector("[data-files]"), kept = fresh.querySelector("[data-files]");
    if (document.querySelector("[data-too-large]")) return mine;  // they were not sent
    if (files && kept && files.querySelector("input[type=file]").value) files.replaceWith(document.adoptNode(kept));
    return mine;
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready); else ready();
})();
