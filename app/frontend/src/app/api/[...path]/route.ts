import { forwardToBackend } from '@/server/forward';

export const dynamic = 'force-dynamic';

export {
  forwardToBackend as GET,
  forwardToBackend as POST,
  forwardToBackend as PATCH,
  forwardToBackend as DELETE,
};
