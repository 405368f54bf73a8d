import { useCallback, useEffect, useReducer } from "react";

import { loadTasks, saveTasks } from "./storage";
import { reduceTasks } from "./task";

/** The tasks and what can be done with them; every change is saved. */
export function useTasks() {
  const [tasks, dispatch] = useReducer(reduceTasks, undefined, () => loadTasks());

  useEffect(() => {
    saveTasks(tasks);
  }, [tasks]);

  const add = useCallback((title: string) => {
    dispatch({ type: "add", id: crypto.randomUUID(), title });
  }, []);
  const toggle = useCallback((id: string) => {
    dispatch({ type: "toggle", id });
  }, []);
  const remove = useCallback((id: string) => {
    dispatch({ type: "remove", id });
  }, []);

  return { tasks, add, toggle, remove };
}
