// Offers to copy the personal link, without the mark of the first visit.
(() => {
  const address = location.origin + location.pathname;
  history.replaceState(null, "", address);
  const button = document.querySelector("[data-copy]");
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(address);
    button.textContent = button.dataset.copied;
  });
})();
