// Solves the form's proof of work while its writer is still typing; sending waits for it.
(() => {
  const form = document.querySelector("form[data-challenge]");
  const worker = new Worker(document.currentScript.dataset.worker);
  const button = form.querySelector("button[type=submit]");
  let sending = false;
  worker.onmessage = ({ data }) => {
    form.elements.solution.value = data;
    if (sending) form.submit();
  };
  worker.postMessage({ challenge: form.dataset.challenge, bits: Number(form.dataset.bits) });
  form.addEventListener("submit", (event) => {
    if (!form.reportValidity()) return event.preventDefault();
    button.setAttribute("aria-disabled", "true");
    button.textContent = button.dataset.busy;
    if (sending) return event.preventDefault();
    sending = true;
    if (!form.elements.solution.value) event.preventDefault();
  });
  // Coming back by the browser's "back": the form must be able to send again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
  document.querySelector(".alert[autofocus]")?.focus();
})();
