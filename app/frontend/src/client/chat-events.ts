import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { ChatEvent } from '@/shared/chat';

const EVENTS = ['start', 'delta', 'tool', 'done', 'error'];

/** The events of a streamed answer; those of another name are left out. */
export async function* chatEvents(response: Response): AsyncGenerator<ChatEvent> {
  if (!response.body) return;
  const events = response.body
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array<ArrayBuffer>, string>)
    .pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const { event = '', data } = next.value;
      if (EVENTS.includes(event)) yield { event, data: JSON.parse(data) } as ChatEvent;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
