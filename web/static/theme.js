// Before anything is drawn: follow the system's light or dark where the person has not chosen.
(() => {
  const root = document.documentElement;
  if (root.dataset.appearance !== "auto") return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  follow();
  dark.addEventListener("change", follow);
})();
