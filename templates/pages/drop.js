"use strict";
const input = document.querySelector("input[type=file]");
const zone = input && input.closest(".drop");
if (zone) {
  const stop = (event) => event.preventDefault();
  for (const name of ["dragover", "drop"]) document.addEventListener(name, stop);
  document.addEventListener("dragenter", () => zone.classList.add("over"));
  document.addEventListener("drop", (event) => {
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}
