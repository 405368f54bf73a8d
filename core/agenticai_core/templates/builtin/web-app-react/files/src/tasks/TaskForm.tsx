import { useId, useState, type SyntheticEvent } from "react";

interface Props {
  readonly onAdd: (title: string) => void;
}

export function TaskForm({ onAdd }: Props) {
  const [title, setTitle] = useState("");
  const field = useId();

  function submit(event: SyntheticEvent) {
    event.preventDefault();
    onAdd(title);
    setTitle("");
  }

  return (
    <form onSubmit={submit}>
      <label htmlFor={field}>New task</label>
      <input
        id={field}
        value={title}
        maxLength={200}
        autoComplete="off"
        onChange={(event) => {
          setTitle(event.target.value);
        }}
      />
      <button type="submit">Add</button>
    </form>
  );
}
