"use strict";
const root = document.documentElement;
root.dataset.script = "";

/* Light or dark: what the system says until the reader chooses. */
const theme = document.getElementById("theme");
const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
showTheme();

/* Prompts: changes, before or after. */
for (const views of document.querySelectorAll("[data-views]")) {
  const show = () => {
    const chosen = views.querySelector("input:checked").value;
    for (const view of views.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== chosen;
  };
  views.addEventListener("change", show);
  show();
}

/* The gallery: filters, one tab stop, arrow keys, and showing a blurred image. */
const gallery = document.querySelector("[data-gallery]");
if (gallery) {
  const filters = document.querySelector("[data-filters]");
  const cards = [...gallery.children];
  const visible = () => cards.filter((card) => !card.hidden);
  const stopAt = (card) => {
    for (const each of gallery.querySelectorAll('[tabindex="0"]')) if (cards.includes(each)) each.tabIndex = -1;
    if (card) card.tabIndex = 0;
  };
  const filter = () => {
    const wanted = new FormData(filters);
    for (const card of cards)
      card.hidden = ["change", "label", "split"].some((name) => wanted.get(name) && wanted.get(name) !== card.dataset[name]);
    gallery.classList.toggle("blurred", wanted.has("blur"));
    const shown = visible();
    filters.elements.shown.value = `${shown.length} shown`;
    stopAt(shown[0]);
  };
  const columns = () => getComputedStyle(gallery).gridTemplateColumns.split(" ").length;
  const moves = {
    ArrowRight: (at) => at + 1,
    ArrowLeft: (at) => at - 1,
    ArrowDown: (at) => at + columns(),
    ArrowUp: (at) => at - columns(),
    Home: () => 0,
    End: (at, last) => last,
  };
  filters.addEventListener("change", filter);
  filters.addEventListener("submit", (event) => event.preventDefault());
  gallery.addEventListener("keydown", (event) => {
    const card = event.target;
    if (!cards.includes(card)) return;
    if (event.key === "Enter") card.classList.toggle("revealed");
    if (!(event.key in moves)) return;
    event.preventDefault();
    const shown = visible();
    const to = moves[event.key](shown.indexOf(card), shown.length - 1);
    const next = shown[Math.min(Math.max(to, 0), shown.length - 1)];
    stopAt(next);
    next.focus();
  });
  gallery.addEventListener("click", (event) => {
    if (event.target.closest(".pictures")) event.target.closest(".card").classList.toggle("revealed");
  });
  filter();
}

/* On paper nothing can be opened. */
const closed = [];
addEventListener("beforeprint", () => {
  closed.push(...document.querySelectorAll("details:not([open])"));
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of closed.splice(0)) each.open = false;
});
