// New links as they come, from whoever makes them.
const list = document.querySelector('#links');
if (list) {
  const source = new EventSource(`/events?after=${list.dataset.last}`);
  source.addEventListener('link', event => {
    const link = JSON.parse(event.data);
    const [item, name, target, hits] = ['li', 'a', 'span', 'b'].map(tag => document.createElement(tag));
    name.href = name.textContent = `/l/${link.slug}`;
    target.textContent = link.target;
    hits.textContent = link.hits;
    item.append(name, ' ', target, ' ', hits);
    list.prepend(item);
  });
}

// An upload without leaving the page; without this script the form does it.
const form = document.querySelector('#upload');
form?.addEventListener('submit', async event => {
  event.preventDefault();
  const output = form.querySelector('output');
  output.textContent = '…';
  try {
    const response = await fetch(form.action, {
      method: 'POST', body: new FormData(form), headers: { Accept: 'application/json' },
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail ?? answer.title);
    const link = document.createElement('a');
    link.href = response.headers.get('Location');
    link.textContent = `${answer.name}, ${answer.size} bytes`;
    output.replaceChildren(link);
    form.reset();
  } catch (error) {
    output.textContent = error.message;
  }
});
