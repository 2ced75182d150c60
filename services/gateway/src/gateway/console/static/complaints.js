// Standard phrases go where the cursor stands; the form in place takes the focus when it opens.
"use strict";
document.addEventListener("click", (event) => {
  const phrase = event.target.closest("[data-phrase]");
  if (!phrase) return;
  const field = document.getElementById(phrase.dataset.phrase);
  const gap = field.value && !/\s$/.test(field.value.slice(0, field.selectionStart)) ? " " : "";
  field.setRangeText(gap + phrase.textContent.trim(), field.selectionStart, field.selectionEnd, "end");
  field.focus();
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "acting") return;
  document.querySelectorAll("[data-menu-details][open]").forEach((menu) => { menu.open = false; });
  event.target.querySelector("textarea, select, input:not([type=hidden]), button")?.focus();
});
