import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import './styles/base.css';
import './styles/controls.css';
import './styles/find.css';
import './styles/todos.css';
import './styles/states.css';
import './styles/chat.css';
import './styles/overlays.css';
import './styles/narrow.css';
import './styles/preferences.css';

export const metadata: Metadata = {
  title: 'Todo Chatbot',
  description: 'Your todos, and an assistant that keeps them with you.',
};

export const viewport: Viewport = {
  colorScheme: 'light dark',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f6f5f2' },
    { media: '(prefers-color-scheme: dark)', color: '#17181a' },
  ],
};

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
