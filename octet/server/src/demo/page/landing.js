// The landing page's own script: asks for the bot verdict, shows it, and has the backend ask for itself.
const form = document.querySelector('form');
const tag = document.querySelector('script[data-octet-ref]');

async function ask() {
  const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
  document.querySelector('#backend').textContent = await answer.text();
}

async function assess() {
  if (!window.octet) await new Promise((loaded) => tag.addEventListener('load', loaded));
  await octet.assess({
    apiUrl: tag.dataset.octetApi,
    sessionRef: tag.dataset.octetRef,
    appKey: form.dataset.appKey,
    escalate: true,
    tokenParam: 'click_token',
    onVerdict: (verdict) => { document.querySelector('#page').textContent = JSON.stringify(verdict, null, 2); },
  });
  await ask();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  ask();
});
assess();
