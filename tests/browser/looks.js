// What a check of colours has to look at: of all texts that look alike, a few, also across the pages of one visit.
(() => {
  const alike = 3;
  const asked = JSON.parse(sessionStorage.getItem("looks asked about") ?? "{}"); // a look, and how often it was asked about
  let shown = null; // what was shown before

  // Every element that is shown. Of one with text: all that decides how it stands out from what is behind it.
  function* seen(element, ground, from) {
    const style = getComputedStyle(element);
    if (style.display === "none" || !element.checkVisibility()) return;
    const paint = `${style.backgroundColor} ${style.backgroundImage}`;
    if (paint !== "rgba(0, 0, 0, 0) none") ground = /^rgb\(.* none$/.test(paint) ? paint : `${ground} ${paint}`;
    if (style.opacity !== "1") ground += ` faint ${style.opacity}`;
    if (style.position !== "static" && style.position !== "relative") ground += ` at ${element.className}`;
    const text = element.matches("input, select, textarea")
      || [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    let look = null;
    if (text && style.visibility === "visible") {
      const off = element.closest(":disabled, [aria-disabled=true], [inert], [aria-hidden=true]") ? "off" : "";
      const link = element.localName === "a" ? `link in ${from} ${style.textDecorationLine}` : "";
      look = [style.color, style.fontSize, style.fontWeight, style.clipPath, style.textShadow, off, link, ground].join(";");
    }
    yield [element, look];
    for (const child of element.children) yield* seen(child, ground, style.color);
  }

  function look() {
    const unlike = [], appeared = [], now = new Set();
    for (const [element, told] of seen(document.body, getComputedStyle(document.documentElement).backgroundColor, "")) {
      now.add(element);
      if (shown && !shown.has(element) && !appeared.some((each) => each.contains(element))) appeared.push(element);
      if (told !== null && (asked[told] ?? 0) < alike) {
        unlike.push(element);
        asked[told] = (asked[told] ?? 0) + 1;
      }
    }
    shown = now;
    const strange = appeared.filter((each) => !asked[each.outerHTML]);
    strange.forEach((each) => { asked[each.outerHTML] = alike; });
    sessionStorage.setItem("looks asked about", JSON.stringify(asked));
    return { unlike, strange };
  }

  const only = (values) => ({ runOnly: { type: "rule", values }, resultTypes: ["violations"] });
  const run = async (what, options) => (await axe.run(what, options)).violations;
  const each = async (elements, options) => elements.length ? run({ include: elements }, options) : [];

  // The page follows the system's light or dark by a script.
  const until = async (holds) => { while (!holds()) await new Promise((go) => setTimeout(go, 5)); };

  window.tooWide = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;

  // Everything once; then what is new, what may have another size, and what has another colour. And how much too wide it is.
  window.lookedAt = async (asked) => {
    await until(() => document.documentElement.dataset.bsTheme === asked.scheme);
    return [await violations(asked), tooWide()];
  };

  async function violations({ rules, colours, place, first, sized, everything }) {
    if (everything) return run(document, rules);
    const rest = { ...rules, rules: Object.fromEntries(colours.map((name) => [name, { enabled: false }])) };
    const { unlike, strange } = look();
    return [
      ...(await (first ? run(document, rest) : each(strange, rest))),
      ...(sized && !first ? await run(document, only(place)) : []),
      ...(await each(unlike, only(colours))),
    ];
  }
})();
