/**
 * A line of connections, in the order in which they joined. It is linked through the connections themselves, because a
 * request moves its connection twice: a Set rebuilds its whole table each time the deleted places have filled it.
 */

/** What a connection keeps of its place in a line. */
export interface InLine<Member extends InLine<Member>> {
  /** null: it stands in none. */
  line: Line<Member> | null;
  ahead: Member | null;
  behind: Member | null;
  inLineSinceMs: number;
}

export class Line<Member extends InLine<Member>> {
  first: Member | null = null;
  #last: Member | null = null;
  size = 0;

  /** The member stands in no line. */
  join(member: Member, nowMs: number): void {
    member.line = this;
    member.inLineSinceMs = nowMs;
    member.ahead = this.#last;
    if (this.#last === null) this.first = member;
    else this.#last.behind = member;
    this.#last = member;
    this.size += 1;
  }

  /** The member stands in this line. */
  leave(member: Member): void {
    const { ahead, behind } = member;
    if (ahead === null) this.first = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last = ahead;
    else behind.ahead = ahead;
    member.line = null;
    member.ahead = null;
    member.behind = null;
    this.size -= 1;
  }
}
