// Package layering is the tests of how this repository is laid out: who may
// import whom, what the library links, how large files and the root package
// may grow, and that every directory says what it is for.
package layering
