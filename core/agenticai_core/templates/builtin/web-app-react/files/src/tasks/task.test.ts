import { describe, expect, it } from "vitest";

import { isTask, reduceTasks, type Task } from "./task";

const plants: Task = { id: "1", title: "Water the plants", done: false };
const cat: Task = { id: "2", title: "Feed the cat", done: true };

describe("reduceTasks", () => {
  it("adds at the end, without spaces around the title", () => {
    expect(reduceTasks([cat], { type: "add", id: "1", title: " Water the plants " })).toEqual([
      cat,
      plants,
    ]);
  });

  it("leaves everything as it is for an empty title", () => {
    const tasks = [cat];

    expect(reduceTasks(tasks, { type: "add", id: "1", title: "  " })).toBe(tasks);
  });

  it("toggles one task and does not touch the others", () => {
    const [first, second] = reduceTasks([plants, cat], { type: "toggle", id: "2" });

    expect(first).toBe(plants);
    expect(second?.done).toBe(false);
  });

  it("removes one task", () => {
    expect(reduceTasks([plants, cat], { type: "remove", id: "1" })).toEqual([cat]);
  });

  it("ignores ids that nobody has", () => {
    expect(reduceTasks([plants], { type: "remove", id: "9" })).toEqual([plants]);
  });
});

describe("isTask", () => {
  it.each([null, 1, "task", {}, { id: 1, title: "x", done: true }, { id: "1", title: "x" }])(
    "refuses %j",
    (value) => {
      expect(isTask(value)).toBe(false);
    },
  );

  it("takes a task", () => {
    expect(isTask(plants)).toBe(true);
  });
});
