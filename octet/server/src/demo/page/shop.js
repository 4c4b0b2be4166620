// The shop's own script: asks the shop's backend for the decision and shows it. It never sees Octet.
const form = document.querySelector('form');
const verdict = document.querySelector('#verdict');

async function ask() {
  const answer = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  verdict.replaceChildren(...page.querySelector('#verdict').childNodes);
  document.querySelector('#overlay').replaceChildren(...page.querySelector('#overlay').childNodes);
  const names = new Intl.DisplayNames(undefined, { type: 'region' });
  for (const place of verdict.querySelectorAll('[data-country]')) {
    place.textContent = `${names.of(place.dataset.country)} (${place.dataset.country})`;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  ask();
});
ask();
