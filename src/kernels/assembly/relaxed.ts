// The build for engines with relaxed SIMD.
export * from "./common";
export { matmul_q4 } from "./q4-relaxed";
