/** The element of the page that has this id. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`The page has no ${type.name} #${id}.`);
  return element;
}

export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.append(...children);
  return element;
}

export function makeButton(text: string, onPress: () => Promise<void>): HTMLButtonElement {
  const button = make('button', text);
  button.type = 'button';
  button.addEventListener('click', () => void attempt(onPress));
  return button;
}

/** What a person wanted and what could not be done is told to the person. */
export async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    tell('');
    await work();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  }
}

export function tell(message: string): void {
  byId('message', HTMLElement).textContent = message;
}

/** Runs `work` again after each call that came while it ran: what is seen last is what is shown. */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let isStale = false;
  return async () => {
    isStale = true;
    running ??= (async () => {
      while (isStale) {
        isStale = false;
        await work();
      }
    })().finally(() => (running = undefined));
    return running;
  };
}
