// What makes the members' own pages quick where scripts run. Nothing here is needed: every page works without it.
// Which questions are asked is never decided here: the server sends the section anew, and this puts it in place.
(() => {
  document.documentElement.classList.add("scripts");
  const ready = () => {
    document.querySelector("[data-focus]")?.focus();
    document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));
    document.querySelectorAll("form[data-autosave]").forEach(saveAsTheyGo);
  };

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
    const told = document.createElement("p");
    told.className = "invalid-feedback d-block";
    told.dataset.tooLarge = "";
    told.setAttribute("role", "alert");
    told.textContent = `These files are ${Math.ceil(bytes / 1048576)} MB together, and 30 MB is the most that can be sent at once. Please choose fewer or smaller ones. What you typed stays here.`;
    last.after(told);
    return last;
  }

  // A second click on a button sends nothing a second time.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent && Date.now() - Number(form.dataset.sent) < 3000) event.preventDefault();
    else form.dataset.sent = String(Date.now());
  }, true);
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

  function saveAsTheyGo(form) {
    let waiting = null, busy = false, again = false, leaving = false;
    form.addEventListener("change", () => soon(600));
    form.addEventListener("input", () => soon(2500));
    form.addEventListener("submit", () => {
      leaving = true;
      clearTimeout(waiting);
      // Whoever was told that somebody else has answered, and presses the button, means their own answer.
      form.querySelectorAll("[data-next]").forEach((box) => { box.querySelector("[data-seen]").value = box.dataset.next; });
    });
    window.addEventListener("pageshow", () => { leaving = false; });
    window.addEventListener("pagehide", () => { if (waiting && !leaving) beforeGoing(); });

    // What was typed in the last moment, without files: the browser sends this even when the page is gone.
    function beforeGoing() {
      const sent = new FormData(form);
      form.querySelectorAll("input[type=file]").forEach((each) => sent.delete(each.name));
      fetch(form.action, { method: "POST", body: sent, keepalive: true, headers: { "HX-Request": "true", "X-Autosave": "1" } }).catch(() => {});
    }

    function soon(milliseconds) {
      if (leaving) return;
      clearTimeout(waiting);
      waiting = setTimeout(save, milliseconds);
    }

    async function save() {
      if (leaving) return;
      waiting = null;
      if (busy) { again = true; return; }
      busy = true;
      const sent = new FormData(form);
      if (tooLarge(form)) form.querySelectorAll("input[type=file]").forEach((each) => sent.delete(each.name));
      const typed = Object.fromEntries([...form.querySelectorAll("[data-question]")].map((box) => [box.dataset.question, state(box)]));
      say(form, "Saving …");
      try {
        const answer = await fetch(form.action, {
          method: "POST", body: sent, credentials: "same-origin", headers: { "HX-Request": "true", "X-Autosave": "1" },
        });
        const found = new DOMParser().parseFromString(await answer.text(), "text/html");
        const questions = found.querySelector("[data-questions]");
        if (!leaving && questions) put(form, questions, typed);
        else if (!questions) say(form, "Not saved. Please use the button below.");
      } catch {
        say(form, "Not saved: there is no connection. What you typed stays here; it is tried again.");
        setTimeout(() => soon(0), 15000);
      } finally {
        busy = false;
        if (again) { again = false; soon(300); }
      }
    }
  }

  // What stands in the controls of a question, to see whether somebody went on typing meanwhile.
  function state(box) {
    return [...box.querySelectorAll("input, select, textarea")].filter((each) => each.type !== "hidden")
      .map((each) => (each.type === "checkbox" || each.type === "radio" ? each.checked : each.value)).join("\u0000");
  }

  function say(form, words) {
    const place = form.querySelector("[data-saved]");
    if (place && place.textContent !== words) place.textContent = words;
  }

  // Put the answer of the server in place: questions come and go; what somebody types in stays as it is.
  function put(form, fresh, typed) {
    const old = form.querySelector("[data-questions]");
    const present = new Map([...old.querySelectorAll(":scope > [data-question]")].map((box) => [box.dataset.question, box]));
    const wanted = [...fresh.querySelectorAll(":scope > [data-question]")];
    let after = old.querySelector("[data-answered]");
    for (const box of wanted) {
      const mine = present.get(box.dataset.question);
      if (!mine) after.after(document.adoptNode(box));
      else renew(mine, box, state(mine) === typed[box.dataset.question]);
      after = mine || box;
      present.delete(box.dataset.question);
    }
    for (const box of present.values()) box.remove();
    const summary = old.querySelector("[data-summary]"), news = fresh.querySelector("[data-summary]").innerHTML;
    if (summary.innerHTML.trim() !== news.trim()) summary.innerHTML = news;
    say(form, fresh.querySelector("[data-saved]").textContent);
    const told = fresh.querySelector("[data-answered]").textContent;
    document.querySelectorAll("[data-progress]").forEach((each) => { each.textContent = told; });
  }

  function renew(mine, fresh, untouched) {
    if (!untouched) return;
    const names = ["[data-messages]", "[data-worked-out]", "legend", ":scope > label.form-label"];
    for (const name of names) {
      const there = mine.querySelector(name), here = fresh.querySelector(name);
      if (there && here && there.innerHTML !== here.innerHTML) there.innerHTML = here.innerHTML;
    }
    mine.className = fresh.className;
    const seen = fresh.querySelector("[data-seen]").value;
    if (fresh.querySelector("[data-conflict]")) mine.dataset.next = seen;
    else {
      mine.querySelector("[data-seen]").value = seen;
      delete mine.dataset.next;
    }
    const files = mine.querySelector("[data-files]"), kept = fresh.querySelector("[data-files]");
    if (document.querySelector("[data-too-large]")) return;  // they were not sent
    if (files && kept && files.querySelector("input[type=file]").value) files.replaceWith(document.adoptNode(kept));
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready); else ready();
})();
