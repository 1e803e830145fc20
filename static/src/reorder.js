// Rows of a list that can be dragged to another place, and tasks that can be dropped on another phase.
// An improvement only: each row has buttons that move it, in a form of its own, and a drop sends that
// same form with the row that it is to stand behind, or the phase that it is to go to.

let dragged = null;

// What the form is sent with where the row is dropped here, as a name and a value, or nothing.
function meant(place) {
  if (!dragged || !place || place === dragged) {
    return null;
  }
  if (place.dataset.appPhase) {
    return ["phase", place.dataset.appPhase];
  }
  return place.parentElement === dragged.parentElement ? ["behind", place.dataset.appKey] : null;
}

function unmark() {
  for (const place of document.querySelectorAll(".app-task--target")) {
    place.classList.remove("app-task--target");
  }
}

function takesDrops(list) {
  const placeOf = (event) => event.target.closest?.("[data-app-key], [data-app-phase]");
  list.addEventListener("dragover", (event) => {
    const place = placeOf(event);
    unmark();
    if (meant(place)) {
      event.preventDefault();
      place.classList.add("app-task--target");
    }
  });
  list.addEventListener("drop", (event) => {
    const sent = meant(placeOf(event));
    if (sent) {
      event.preventDefault();
      const form = dragged.querySelector("[data-app-move]");
      const box = document.createElement("input");
      box.type = "hidden";
      [box.name, box.value] = sent;
      form.append(box);
      form.submit();
    }
  });
}

export function initReorder() {
  for (const list of document.querySelectorAll("[data-app-reorder]")) {
    for (const row of list.querySelectorAll("[data-app-key]")) {
      row.draggable = true;
    }
    takesDrops(list);
    list.addEventListener("dragstart", (event) => {
      dragged = event.target.closest?.("[data-app-key]");
      dragged?.classList.add("app-task--dragged");
      event.dataTransfer.effectAllowed = "move";
    });
    list.addEventListener("dragend", () => {
      dragged?.classList.remove("app-task--dragged");
      unmark();
      dragged = null;
    });
  }
  for (const phase of document.querySelectorAll("[data-app-phase]")) {
    takesDrops(phase);
  }
  for (const hint of document.querySelectorAll("[data-app-drag-hint]")) {
    hint.hidden = false;
  }
}
