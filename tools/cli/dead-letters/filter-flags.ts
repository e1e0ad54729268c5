/** Which dead letters, as flags. */
export interface FilterFlags {
  readonly topic?: string | undefined;
  readonly "error-type"?: string | undefined;
  readonly producer?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}
