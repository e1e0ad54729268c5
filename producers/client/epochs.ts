/** What `flush` waits for: the events given before it, and not those that come after. */

export interface Epoch {
  /** One of its events has ended, in whatever way. */
  leave(): void;
}

export interface Epochs {
  /** Counts an event into the present epoch. */
  enter(): Epoch;
  /** Begins another epoch; resolves when all events of those before have left. */
  turn(): Promise<void>;
}

export function createEpochs(): Epochs {
  const ends = new Set<Promise<void>>();
  let present = begin();

  function begin() {
    let events = 0;
    let over = false;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    ends.add(ended);
    void ended.then(() => ends.delete(ended));
    return {
      enter() {
        events++;
      },
      leave() {
        events--;
        if (over && events === 0) end();
      },
      close() {
        over = true;
        if (events === 0) end();
      },
    };
  }

  return {
    enter() {
      present.enter();
      return present;
    },
    async turn() {
      present.close();
      const before = [...ends];
      present = begin();
      await Promise.all(before);
    },
  };
}
