// Adds and removes rows of the list of reminders. Without scripts the button asks the server for a row,
// and the boxes stay visible.

const list = document.querySelector("[data-reminders]");
const template = document.querySelector("[data-reminder-template]");
const button = document.querySelector("[data-add-reminder]");
const total = document.querySelector("[name=reminders-TOTAL_FORMS]");
const most = Number(document.querySelector("[name=reminders-MAX_NUM_FORMS]").value);

function isFull() {
  return list.querySelectorAll(".reminder:not([hidden])").length >= most;
}

function remove(row) {
  row.querySelector("[name$=-DELETE]").checked = true;
  row.hidden = true;
  button.hidden = isFull();
  button.focus();
}

function dress(row) {
  const box = row.querySelector(".reminder-gone");
  const gone = document.createElement("button");
  gone.type = "button";
  gone.className = "button button-subtle button-small";
  gone.textContent = "Remove";
  gone.addEventListener("click", () => remove(row));
  box.hidden = true;
  box.after(gone);
  // A row that was ticked before an error came back stays away.
  if (row.querySelector("[name$=-DELETE]").checked) row.hidden = true;
}

for (const row of list.querySelectorAll(".reminder")) dress(row);
// The spare empty row is for those without scripts.
const spare = [...list.querySelectorAll(".reminder:not([hidden])")].at(-1);
if (spare && !spare.querySelector("input[type=number]").value && list.children.length > 1) spare.hidden = true;

button.addEventListener("click", (event) => {
  event.preventDefault();
  const hidden = spare?.hidden && !spare.querySelector("[name$=-DELETE]").checked ? spare : null;
  if (hidden) {
    hidden.hidden = false;
    hidden.querySelector("input[type=number]").focus();
  } else {
    const number = Number(total.value);
    const holder = document.createElement("template");
    holder.innerHTML = template.innerHTML.replaceAll("__prefix__", String(number));
    const row = holder.content.querySelector(".reminder");
    total.value = String(number + 1);
    list.append(row);
    dress(row);
    row.querySelector("input[type=number]").focus();
  }
  button.hidden = isFull();
});
