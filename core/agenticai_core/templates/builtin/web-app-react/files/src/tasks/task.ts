export interface Task {
  readonly id: string;
  readonly title: string;
  readonly done: boolean;
}

export type TaskAction =
  | { readonly type: "add"; readonly id: string; readonly title: string }
  | { readonly type: "toggle"; readonly id: string }
  | { readonly type: "remove"; readonly id: string };

/** The tasks after an action. Never changes what it is given. */
export function reduceTasks(tasks: readonly Task[], action: TaskAction): readonly Task[] {
  switch (action.type) {
    case "add": {
      const title = action.title.trim();
      return title === "" ? tasks : [...tasks, { id: action.id, title, done: false }];
    }
    case "toggle":
      return tasks.map((task) => (task.id === action.id ? { ...task, done: !task.done } : task));
    case "remove":
      return tasks.filter((task) => task.id !== action.id);
  }
}

export function isTask(value: unknown): value is Task {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  const { id, title, done } = value as Record<string, unknown>;
  return typeof id === "string" && typeof title === "string" && typeof done === "boolean";
}
