/** The one entity that the serving bench asks for. */
export const benchEntity = "u1";
