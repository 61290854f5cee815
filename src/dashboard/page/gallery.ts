/** Sheets of pictures: a tab for each kind, a slider through training. Follows the newest while it is at the end. */

import type { ListedSnapshot } from '../messages.ts';
import { need } from './page.ts';

/** Kinds in the order of their tabs, with what they show; others come after. */
const KINDS: Readonly<Record<string, string>> = {
  fakes: 'Generated people at cameras and poses of the data set, the same each time.',
  raw: 'The same before super-resolution.',
  depth: 'How far away they are: near is bright, one scale for the sheet.',
  mask: 'Where they cover the background.',
  unposed: 'The same people with the body at rest.',
  turn: 'Some of them from all sides.',
  bodies:
    'Portraits of the data set with the body at the pose that the discriminator sees (blue) and as labelled (orange).',
  reals: 'Portraits of the data set whose cameras and poses are used.',
  masks: 'Their masks.',
};

export function gallery() {
  const [tabs, time, when] = [need('kinds'), need('time') as HTMLInputElement, need('when')];
  const [earlier, later] = [need('earlier') as HTMLButtonElement, need('later') as HTMLButtonElement];
  const [link, sheet] = [need('full') as HTMLAnchorElement, need('sheet') as HTMLImageElement];
  let all: readonly ListedSnapshot[] = [];
  let kind = '';
  /** Images shown at the chosen time; undefined for the newest. */
  let chosen: number | undefined;

  const ofKind = (): readonly ListedSnapshot[] => all.filter((snapshot) => snapshot.kind === kind);
  const placeIn = (list: readonly ListedSnapshot[]): number => {
    const at = chosen;
    if (at === undefined) return list.length - 1;
    return list.reduce(
      (best, { seen }, i) => (Math.abs(seen - at) < Math.abs(list[best].seen - at) ? i : best),
      0,
    );
  };

  function render(): void {
    const list = ofKind();
    const place = placeIn(list);
    const shown = list[place] as ListedSnapshot | undefined;
    for (const id of ['full', 'kinds']) need(id).hidden = shown === undefined;
    need('pictures').querySelector<HTMLElement>('.slider')!.hidden = list.length < 2;
    need('no-pictures').hidden = shown !== undefined;
    need('kind-help').textContent = KINDS[kind] ?? '';
    if (shown === undefined) return;
    time.max = String(list.length - 1);
    time.value = String(place);
    when.textContent = `${shown.seen / 1000} kimg`;
    earlier.disabled = place === 0;
    later.disabled = place === list.length - 1;
    if (sheet.getAttribute('src') !== shown.url) sheet.src = shown.url;
    sheet.alt = `${kind} after ${shown.seen} images`;
    link.href = shown.url;
    for (const tab of tabs.children)
      tab.setAttribute('aria-selected', String((tab as HTMLElement).dataset.kind === kind));
    // The neighbours are at hand when the slider moves on.
    for (const next of [list[place - 1], list[place + 1]]) if (next !== undefined) new Image().src = next.url;
  }

  function go(place: number): void {
    const list = ofKind();
    chosen = place >= list.length - 1 ? undefined : list[Math.max(0, place)].seen;
    render();
  }

  function renderTabs(kinds: readonly string[]): void {
    const buttons = kinds.map((name) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = name;
      button.dataset.kind = name;
      button.setAttribute('role', 'tab');
      button.addEventListener('click', () => {
        kind = name;
        render();
      });
      return button;
    });
    tabs.replaceChildren(...buttons);
  }

  time.addEventListener('input', () => go(Number(time.value)));
  earlier.addEventListener('click', () => go(placeIn(ofKind()) - 1));
  later.addEventListener('click', () => go(placeIn(ofKind()) + 1));

  return {
    /** Takes the list of a run. */
    show(snapshots: readonly ListedSnapshot[]): void {
      const kinds = kindsOf(snapshots);
      if (kinds.join() !== kindsOf(all).join() || tabs.children.length === 0) renderTabs(kinds);
      all = snapshots;
      if (!kinds.includes(kind)) kind = kinds[0] ?? '';
      render();
    },
  };
}

function kindsOf(snapshots: readonly ListedSnapshot[]): string[] {
  const order = Object.keys(KINDS);
  const rank = (kind: string): number => (order.includes(kind) ? order.indexOf(kind) : order.length);
  return [...new Set(snapshots.map(({ kind }) => kind))].sort(
    (a, b) => rank(a) - rank(b) || a.localeCompare(b),
  );
}
