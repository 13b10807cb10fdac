import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const SearchIcon = () => (
  <Icon>
    <circle cx="9" cy="9" r="5.25" />
    <path d="m13 13 4 4" />
  </Icon>
);

export const PencilIcon = () => (
  <Icon>
    <path d="m4 16 .7-3.2L13.2 4.3a1.4 1.4 0 0 1 2 0l.5.5a1.4 1.4 0 0 1 0 2L7.2 15.3 4 16Z" />
  </Icon>
);

export const HistoryIcon = () => (
  <Icon>
    <path d="M4.2 6.5A7 7 0 1 1 3 10.4M3.8 3v3.6h3.6M10 6.3V10l2.6 1.8" />
  </Icon>
);

export const TrashIcon = () => (
  <Icon>
    <path d="M4 6h12M8 6V4h4v2m-6.5 0 .7 10h5.6l.7-10" />
  </Icon>
);

export const SlidersIcon = () => (
  <Icon>
    <path d="M3 6.5h7m4 0h3M3 13.5h3m4 0h7" />
    <circle cx="12" cy="6.5" r="1.9" />
    <circle cx="8" cy="13.5" r="1.9" />
  </Icon>
);

export const SendIcon = () => (
  <Icon>
    <path d="M10 16V4.5m-5 5 5-5 5 5" />
  </Icon>
);

export const StopIcon = () => (
  <Icon>
    <rect className="icon-solid" x="6" y="6" width="8" height="8" rx="1.5" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="m5 10.5 3.3 3.3L15 7" />
  </Icon>
);

export const CrossIcon = () => (
  <Icon>
    <path d="m5.5 5.5 9 9m0-9-9 9" />
  </Icon>
);
