// The build for engines with fixed-width SIMD alone.
export * from "./common";
export { matmul_q4 } from "./q4-simd";
