'use client';

import { useLayoutEffect, useRef, useState } from 'react';
import type { ChatEntry, ChatState, ChatStore, ToolUse } from '@/client/chat-store';
import { Composer } from './composer';

const SUGGESTIONS = ['Add buy milk tomorrow, high', 'What’s left?', 'Done with milk'];

/** The conversation with the assistant. */
export function ChatPane({ store, state }: { store: ChatStore; state: ChatState }) {
  const [draft, setDraft] = useState('');
  const [error, setError] = useState<string | null>(null);

  async function send(text: string) {
    setDraft('');
    setError(null);
    const problem = await store.send(text);
    if (!problem) return;
    setDraft((current) => current || text);
    setError(problem.message);
  }

  return (
    <section className="pane chat" id="chat" aria-labelledby="chat-heading" tabIndex={-1}>
      <header className="pane-head">
        <h2 id="chat-heading">Assistant</h2>
        <AssistantName state={state} />
        {state.entries.length > 0 && (
          <button type="button" className="button button-quiet" onClick={() => store.startAnew()}>
            New chat
          </button>
        )}
      </header>
      {state.entries.length === 0 ? (
        <EmptyConversation onSuggestion={(text) => void send(text)} />
      ) : (
        <Conversation entries={state.entries} />
      )}
      <p className="visually-hidden" role="status">
        {state.announcement}
      </p>
      <Composer
        draft={draft}
        error={error}
        answering={state.answering}
        onDraft={setDraft}
        onSend={(text) => void send(text)}
        onStop={() => store.stop()}
      />
    </section>
  );
}

function AssistantName({ state }: { state: ChatState }) {
  if (state.assistant === null) return <p className="assistant-name" />;
  const gemini = state.assistant === 'gemini';
  const explanation = gemini
    ? `Google Gemini${state.model ? `, model ${state.model},` : ''} answers here.`
    : 'No Gemini key is set, so simple built-in rules answer here. They understand short requests in English.';
  return (
    <p className="assistant-name" title={explanation} data-assistant={state.assistant}>
      {gemini ? `Gemini${state.model ? ` · ${state.model}` : ''}` : 'Built-in rules'}
    </p>
  );
}

function EmptyConversation({ onSuggestion }: { onSuggestion: (text: string) => void }) {
  return (
    <div className="scroll state chat-empty">
      <p className="state-title">Say what is to be done</p>
      <p>The assistant adds, finds, changes and completes your todos. For example:</p>
      <ul className="suggestions">
        {SUGGESTIONS.map((text) => (
          <li key={text}>
            <button type="button" className="button" onClick={() => onSuggestion(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Conversation({ entries }: { entries: ChatEntry[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the conversation has grown
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box && following.current) box.scrollTop = box.scrollHeight;
  }, [entries]);
  return (
    <div
      className="scroll"
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled with the keyboard
      tabIndex={0}
      role="log"
      aria-label="Conversation"
      aria-live="off"
      onScroll={(event) => {
        const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
        following.current = scrollHeight - scrollTop - clientHeight < 60;
      }}
    >
      <ol className="entries">
        {entries.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
    </div>
  );
}

const SPEAKERS = { user: 'You', assistant: 'Assistant', activity: 'Note' };

function Entry({ entry }: { entry: ChatEntry }) {
  return (
    <li className={`entry entry-${entry.role}`}>
      <span className="visually-hidden">{SPEAKERS[entry.role]}: </span>
      {entry.tools.length > 0 && <ToolUses tools={entry.tools} />}
      {entry.text && (
        <p className="entry-text" dir="auto">
          <Lines text={entry.text} />
          {entry.earlier > 0 && <span className="quiet"> · {entry.earlier} more before</span>}
        </p>
      )}
      {entry.streaming && entry.text === '' && (
        <p className="thinking">
          <span className="visually-hidden">The assistant is answering</span>
          <i />
          <i />
          <i />
        </p>
      )}
      {entry.problem && <p className="entry-problem">{entry.problem}</p>}
    </li>
  );
}

/** A text line by line, so that what a list's item says stays right of its number. */
function Lines({ text }: { text: string }) {
  const lines = text.split('\n');
  if (lines.length === 1) return text;
  return lines.map((line, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added at the end
    <span key={place} className={/^(\d+\.|[-*•]) /.test(line) ? 'line line-item' : 'line'}>
      {line}
    </span>
  ));
}

const TOOL_WORDS: Record<string, string> = {
  add_todo: 'Added a todo',
  list_todos: 'Looked at the list',
  search_todos: 'Searched the list',
  complete_todo: 'Completed a todo',
  update_todo: 'Changed a todo',
  delete_todo: 'Deleted a todo',
};
const OUTCOME_WORDS = { ok: '', refused: ': refused', error: ': failed' };

function ToolUses({ tools }: { tools: ToolUse[] }) {
  return (
    <ul className="tool-uses">
      {tools.map(({ name, outcome }, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: uses are only ever added at the end
        <li key={place} data-outcome={outcome}>
          {TOOL_WORDS[name] ?? name}
          {OUTCOME_WORDS[outcome]}
        </li>
      ))}
    </ul>
  );
}
