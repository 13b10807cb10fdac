'use client';

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { ChatEntry, ToolUse } from '@/client/chat-entry';
import { copyText } from '@/client/clipboard';
import type { Choice } from '@/shared/chat';
import { Words } from './words';

interface EntryActions {
  onChoice: (choice: Choice) => void;
  onUndo: (entryId: string) => void;
  /** @param question the message that is asked again */
  onRetry: (entryId: string, question: string) => void;
}

/** What was said, oldest first. It follows what comes unless the person has scrolled away. */
export function Conversation({
  entries,
  answering,
  ...actions
}: EntryActions & { entries: ChatEntry[]; answering: boolean }) {
  const scroller = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const follow = useCallback(() => {
    const box = scroller.current;
    if (box && following.current) box.scrollTop = box.scrollHeight;
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the conversation has grown
  useLayoutEffect(follow, [entries]);
  // A pane that was hidden has no height until it is shown, and a phone's keyboard takes some of it away.
  useEffect(() => {
    const observer = new ResizeObserver(follow);
    if (scroller.current) observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [follow]);
  const last = entries.findLast(({ role }) => role !== 'activity');
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
        {entries.map((entry, place) => (
          <Entry
            key={entry.id}
            entry={entry}
            question={entry.role === 'assistant' ? questionBefore(entries, place) : null}
            isLast={entry === last && !answering}
            {...actions}
          />
        ))}
      </ol>
    </div>
  );
}

function questionBefore(entries: ChatEntry[], place: number): string | null {
  return entries.slice(0, place).findLast(({ role }) => role === 'user')?.text ?? null;
}

const SPEAKERS = { user: 'You', assistant: 'Assistant', activity: 'Note' };

function Entry({
  entry,
  question,
  isLast,
  ...actions
}: EntryActions & { entry: ChatEntry; question: string | null; isLast: boolean }) {
  return (
    <li className={`entry entry-${entry.role}`}>
      <span className="visually-hidden">{SPEAKERS[entry.role]}: </span>
      {entry.tools.length > 0 && <ToolUses tools={entry.tools} />}
      {entry.text && (
        <p className="entry-text" dir="auto">
          <Lines text={entry.text} ours={entry.role !== 'user'} />
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
      {entry.problem && entry.problem !== entry.text && <p className="entry-problem">{entry.problem}</p>}
      {isLast && entry.choices.length > 0 && <Choices choices={entry.choices} onChoice={actions.onChoice} />}
      {entry.role === 'assistant' && !entry.streaming && (
        <AnswerActions entry={entry} question={isLast ? question : null} {...actions} />
      )}
    </li>
  );
}

function Choices({ choices, onChoice }: { choices: Choice[]; onChoice: (choice: Choice) => void }) {
  return (
    <ul className="choices" aria-label="Ways to go on">
      {choices.map((choice) => (
        <li key={choice.message}>
          <button type="button" className="button" dir="auto" onClick={() => onChoice(choice)}>
            {choice.label}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What can be done with an answer. Only one that changed nothing is asked for again: the others would do it twice. */
function AnswerActions({
  entry,
  question,
  onUndo,
  onRetry,
}: EntryActions & { entry: ChatEntry; question: string | null }) {
  const { id, text, undo, problem } = entry;
  const mayRetry = question !== null && undo === null && (problem !== null || entry.choices.length === 0);
  return (
    <div className="answer-actions">
      {undo && undo.state !== 'refused' && (
        <button
          type="button"
          className="button button-quiet"
          disabled={undo.state !== 'offered'}
          onClick={() => onUndo(id)}
        >
          {undo.state === 'done' ? 'Undone' : 'Undo'}
        </button>
      )}
      {mayRetry && (
        <button type="button" className="button button-quiet" onClick={() => onRetry(id, question)}>
          {problem === null ? 'Ask again' : 'Try again'}
        </button>
      )}
      {text && <CopyButton text={text} />}
      {undo?.problem && (
        <p className="entry-problem" role="alert">
          {undo.problem}
        </p>
      )}
    </div>
  );
}

const COPIED_MS = 2_000;

function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);

  async function copy() {
    setCopied(await copyText(text));
    setTimeout(() => setCopied(false), COPIED_MS);
  }

  return (
    <button type="button" className="button button-quiet copy" onClick={() => void copy()}>
      {copied ? 'Copied' : 'Copy'}
    </button>
  );
}

/** A text line by line, so that what a list's item says stays right of its number. */
function Lines({ text, ours }: { text: string; ours: boolean }) {
  const lines = text.split('\n');
  if (lines.length === 1) return <Words text={text} ours={ours} />;
  return lines.map((line, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: lines are only ever added at the end
    <span key={place} className={/^(\d+\.|[-*•]) /.test(line) ? 'line line-item' : 'line'}>
      <Words text={line} ours={ours} />
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
  restore_todo: 'Brought a todo back',
};
const OUTCOME_WORDS = { ok: '', refused: ': refused', error: ': failed' };

/** How often one looks is nobody's business. */
const LOOKS = new Set(['list_todos', 'search_todos']);

/** What the assistant did, each kind once, and how often it changed something so. */
function ToolUses({ tools }: { tools: ToolUse[] }) {
  const uses = new Map<string, { outcome: ToolUse['outcome']; times: number }>();
  for (const { name, outcome } of tools) {
    const words = `${TOOL_WORDS[name] ?? name}${OUTCOME_WORDS[outcome]}`;
    uses.set(words, { outcome, times: LOOKS.has(name) ? 1 : (uses.get(words)?.times ?? 0) + 1 });
  }
  return (
    <ul className="tool-uses">
      {[...uses].map(([words, { outcome, times }]) => (
        <li key={words} data-outcome={outcome}>
          {words}
          {times > 1 && ` × ${times}`}
        </li>
      ))}
    </ul>
  );
}
