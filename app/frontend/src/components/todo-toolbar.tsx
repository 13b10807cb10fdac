'use client';

import { useEffect, useRef, useState } from 'react';
import { SEARCH_MAX, SORTS, type Sort, type TodoQuery, VIEWS, withView } from '@/shared/todo';
import { SearchIcon } from './icons';

const VIEW_NAMES = { open: 'Open', today: 'Today', upcoming: 'Upcoming', done: 'Done', all: 'All' };
const SORT_NAMES = { created: 'Newest', due: 'Due date', priority: 'Priority', title: 'Title' };
const TYPING_PAUSE_MS = 250;

/** Which todos to show, and in which order. */
export function TodoToolbar({ query, onQuery }: { query: TodoQuery; onQuery: (query: TodoQuery) => void }) {
  return (
    <div className="toolbar">
      <fieldset className="segments">
        <legend className="visually-hidden">Show</legend>
        {VIEWS.map((view) => (
          <label key={view}>
            <input
              type="radio"
              name="view"
              value={view}
              checked={query.view === view}
              onChange={() => onQuery(withView(query, view))}
            />
            <span>{VIEW_NAMES[view]}</span>
          </label>
        ))}
      </fieldset>
      <SearchField text={query.q} onText={(q) => onQuery({ ...query, q })} />
      <select
        className="sort"
        aria-label="Sort by"
        value={query.sort}
        onChange={(event) => onQuery({ ...query, sort: event.target.value as Sort })}
      >
        {SORTS.map((sort) => (
          <option key={sort} value={sort}>
            {SORT_NAMES[sort]}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Asks once the person pauses, not at each key. */
function SearchField({ text, onText }: { text: string; onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const ask = useRef(onText);
  ask.current = onText;
  // A query that was changed elsewhere, as by a tag or by the browser's Back, changes the field.
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed.trim() === text) return;
    const timer = setTimeout(() => ask.current(typed.trim()), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, text]);
  return (
    <label className="search">
      <span className="visually-hidden">Search todos</span>
      <SearchIcon />
      <input
        type="search"
        placeholder="Search"
        autoComplete="off"
        dir="auto"
        maxLength={SEARCH_MAX}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && setTyped('')}
      />
    </label>
  );
}
