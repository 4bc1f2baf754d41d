// What the parts of the page share.

/** The element with this id. */
export const element = (id) => document.getElementById(id);

/** A share as per cents. */
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

let lasting = false;

/** Shows a problem, or takes it away; one that lasts stays for good. */
export function showProblem(text, lasts = false) {
  if (lasting) return;
  lasting = lasts;
  element('problem').hidden = !text;
  element('problem').textContent = text ?? '';
}

/** Does something, and shows why it failed if it does; gives whether it did not. */
export async function report(work) {
  try {
    await work();
    showProblem(null);
    return true;
  } catch (error) {
    showProblem(error.message);
    return false;
  }
}
