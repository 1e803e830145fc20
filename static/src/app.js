// Behaviour of every page. Nothing here is needed to do the work: each action is a plain form that
// posts, and these lines only make the answer arrive in place.
//
// Conventions for partial updates (htmx):
// - A form carries hx-post (same address as its action), hx-target and hx-swap="outerHTML". The view
//   answers request.htmx with the fragment that replaces the target, else it redirects.
// - hx-sync="this:drop" on the form: a second press while the first is on its way is dropped.
//   {% button_form %} writes all four.
// - 400, 409 and 422 answers are swapped in too (a form with its errors, a stale task); any other
//   failure shows #app-problem and leaves the page as it was.
// - A fragment may say where the focus goes (data-app-focus) and what is read out
//   (data-app-announce="Task CUT-01 is done").

import { initAll } from "nhsuk-frontend";

import { initReorder } from "./reorder.js";

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
initAll();
initReorder();

// A fragment that refreshes itself has no event that set it off. What goes wrong there must not take
// the person away from what they are typing.
const byPerson = (event) => Boolean(event.detail.requestConfig?.triggeringEvent);

// htmx:load tells of every piece that comes into the page; the page itself is done above. Parts of a
// piece that kept their behaviour complain about being started twice, which is of no interest.
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) {
    initAll({ scope: event.detail.elt, onError: () => {} });
  }
});

// The session has ended: the answer is a redirect to the sign-in page, followed by the browser
// before htmx sees it. Go there, and come back to this page afterwards.
function signInAgain() {
  const address = new URL(document.body.dataset.appSignIn, location.href);
  address.searchParams.set("next", location.pathname + location.search);
  location.assign(address);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const xhr = event.detail.xhr;
  const signIn = document.body.dataset.appSignIn;
  const landed = xhr.responseURL ? new URL(xhr.responseURL, location.href).pathname : "";
  if (xhr.status === 401 || (signIn && landed === signIn && location.pathname !== signIn)) {
    event.detail.shouldSwap = false;
    event.detail.isError = false;
    if (byPerson(event)) {
      signInAgain();
    } else {
      document.getElementById("app-signed-out").hidden = false;
    }
  } else if (event.detail.shouldSwap && /^\s*<!doctype/i.test(xhr.responseText)) {
    // A whole page where a fragment was asked for: a redirect was followed. Show that page.
    event.detail.shouldSwap = false;
    if (xhr.status < 400) {
      location.assign(xhr.responseURL);
    } else {
      showProblem(event);
    }
  }
});

// Focus and announcement after a swap that a person caused (not after polling).
document.addEventListener("htmx:afterSettle", (event) => {
  const piece = event.detail.elt;
  const spoken = piece.matches("[data-app-announce]")
    ? piece
    : piece.querySelector("[data-app-announce]");
  if (spoken) {
    document.getElementById("app-status").textContent = spoken.dataset.appAnnounce;
  }
  const trigger = event.detail.requestConfig?.triggeringEvent?.type;
  if (piece.id !== event.detail.target?.id) {
    return; // A piece that came along out of band: the focus belongs in the one asked for.
  }
  if ((trigger === "submit" || trigger === "click") && document.activeElement === document.body) {
    const place = piece.querySelector("[data-app-focus]") ?? piece;
    if (place.tabIndex < 0) {
      place.setAttribute("tabindex", "-1");
    }
    place.focus();
  }
});

function showProblem(event) {
  if (byPerson(event)) {
    const problem = document.getElementById("app-problem");
    problem.hidden = false;
    problem.focus();
  }
}

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, showProblem);
}

// What takes long to answer says so: pressing again would only make it take longer.
const NOTICED = 1000; // milliseconds
let slow;
function sayOfWaiting(words) {
  document.getElementById("app-waiting").textContent = words;
}
function beginToWait() {
  clearTimeout(slow);
  slow = setTimeout(sayOfWaiting, NOTICED, "Working on it…");
}
function endTheWait() {
  clearTimeout(slow);
  sayOfWaiting("");
}
document.addEventListener("submit", (event) => event.defaultPrevented || beginToWait());
addEventListener("pagehide", endTheWait);
document.addEventListener("htmx:beforeRequest", (event) => byPerson(event) && beginToWait());
document.addEventListener("htmx:afterRequest", endTheWait);

// Paper shows what is folded away on the screen.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  opened.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => {
  opened.forEach((details) => (details.open = false));
});
