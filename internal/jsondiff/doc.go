// Package jsondiff holds the strict JSON reader of package value against one
// that others wrote, github.com/go-json-experiment/json/jsontext: over random
// documents, most of them spoiled, both must say the same, and read the same,
// but for what ours refuses on purpose. It also measures how fast ours is.
//
// It has no code but tests, in a module of its own so that nobody who uses the
// library needs the other reader:
//
//	go test .                                  # 200,000 documents
//	go test . -documents 10000000              # more
//	go test . -run Speed -v -calls FILE        # how much faster than json.Valid
//	go test . -fuzz StrictJSON
package jsondiff
