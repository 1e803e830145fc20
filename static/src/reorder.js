// Rows of a list that can be dragged to another place. An improvement only: each row has buttons that
// move it, in a form of its own, and a drop sends that same form with the row it is to stand behind.

let dragged = null;

function target(event) {
  const row = event.target.closest?.("[data-app-key]");
  return dragged && row && row !== dragged && row.parentElement === dragged.parentElement
    ? row
    : null;
}

function unmark() {
  for (const row of document.querySelectorAll(".app-task--target")) {
    row.classList.remove("app-task--target");
  }
}

export function initReorder() {
  for (const list of document.querySelectorAll("[data-app-reorder]")) {
    for (const row of list.querySelectorAll("[data-app-key]")) {
      row.draggable = true;
    }
    list.addEventListener("dragstart", (event) => {
      dragged = event.target.closest?.("[data-app-key]");
      dragged?.classList.add("app-task--dragged");
      event.dataTransfer.effectAllowed = "move";
    });
    list.addEventListener("dragover", (event) => {
      const row = target(event);
      unmark();
      if (row) {
        event.preventDefault();
        row.classList.add("app-task--target");
      }
    });
    list.addEventListener("drop", (event) => {
      const row = target(event);
      if (row) {
        event.preventDefault();
        const form = dragged.querySelector("[data-app-move]");
        const behind = document.createElement("input");
        behind.type = "hidden";
        behind.name = "behind";
        behind.value = row.dataset.appKey;
        form.append(behind);
        form.submit();
      }
    });
    list.addEventListener("dragend", () => {
      dragged?.classList.remove("app-task--dragged");
      unmark();
      dragged = null;
    });
  }
}
