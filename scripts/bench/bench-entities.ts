/** The entities that the serving bench over Redis asks for. */
export const benchEntities: readonly string[] = Array.from({ length: 100 }, (_, i) => `u${i}`);
