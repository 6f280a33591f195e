// POST with retry after an expired token or an ended session.
import { signIn } from "./again.js";
import { request } from "./page.js";

// As request(); repeats it with a new token when the old one has expired, and after signing in again when the session has ended.
export async function send(address, body, progress) {
  for (let tries = 0; ; tries++) {
    const answer = await request(address, body, progress);
    const again = answer.status === 401 ? await signIn(answer.words) : answer.status === 400 && answer.json?.csrf_token && !tries;
    if (!again) return answer;
  }
}
