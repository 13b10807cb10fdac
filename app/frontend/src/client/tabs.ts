/** How long changes gather before the other tabs are told of them, in milliseconds. */
const GATHER_MS = 50;

/** Tells the other tabs of this browser that todos were changed, and hears it from them. */
export class Tabs {
  private readonly channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('todos');
  private telling: ReturnType<typeof setTimeout> | null = null;

  constructor(onChange: () => void) {
    // A tab that nobody looks at asks when somebody does.
    this.channel?.addEventListener('message', () => {
      if (document.visibilityState === 'visible') onChange();
    });
  }

  /** Something was changed here. */
  tell(): void {
    this.telling ??= setTimeout(() => {
      this.telling = null;
      this.channel?.postMessage('changed');
    }, GATHER_MS);
  }

  close(): void {
    if (this.telling) clearTimeout(this.telling);
    this.channel?.close();
  }
}
