import type { Task } from "./task";

interface Props {
  readonly tasks: readonly Task[];
  readonly onToggle: (id: string) => void;
  readonly onRemove: (id: string) => void;
}

export function TaskList({ tasks, onToggle, onRemove }: Props) {
  return (
    <ul>
      {tasks.map((task) => (
        <li key={task.id}>
          <label className={task.done ? "done" : undefined}>
            <input
              type="checkbox"
              checked={task.done}
              onChange={() => {
                onToggle(task.id);
              }}
            />
            {task.title}
          </label>
          <button
            type="button"
            aria-label={`Remove ${task.title}`}
            onClick={() => {
              onRemove(task.id);
            }}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
