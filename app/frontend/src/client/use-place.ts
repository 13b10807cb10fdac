import { useCallback, useEffect, useState } from 'react';
import { addressOf, type Pane, type Place, placeFrom } from '@/shared/address';
import type { TodoQuery } from '@/shared/todo';

/**
 * Where the visitor is on the page, kept in its address: it survives a reload, can be shared, and the browser's Back
 * leads to the place before.
 * @param first the place of the address that the page was asked for
 * @param onQuery called when other todos are to be shown
 */
export function usePlace(first: Place, onQuery: (query: TodoQuery) => void) {
  const [place, setPlace] = useState(first);

  useEffect(() => {
    const follow = () => {
      const next = placeFrom(new URLSearchParams(location.search));
      setPlace(next);
      onQuery(next.query);
    };
    window.addEventListener('popstate', follow);
    // Back may have been pressed before this page could hear it.
    if (addressOf(placeFrom(new URLSearchParams(location.search))) !== addressOf(first)) follow();
    return () => window.removeEventListener('popstate', follow);
  }, [onQuery, first]);

  const showQuery = useCallback(
    (query: TodoQuery) => {
      // The letters of one search are one step.
      const typing = place.query.q !== '' && query.q !== '' && place.query.view === query.view;
      go({ ...place, query }, typing ? 'replaceState' : 'pushState');
      setPlace({ ...place, query });
      onQuery(query);
    },
    [place, onQuery],
  );
  const showPane = useCallback(
    (pane: Pane) => {
      if (pane === place.pane) return;
      go({ ...place, pane }, 'pushState');
      setPlace({ ...place, pane });
    },
    [place],
  );
  return { place, showQuery, showPane };
}

function go(place: Place, how: 'pushState' | 'replaceState'): void {
  window.history[how](null, '', addressOf(place));
}
