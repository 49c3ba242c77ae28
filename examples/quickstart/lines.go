package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxLine is the most bytes of a line, its end included: much more than the 64 KiB that a
// call's parameters may take, and little enough to keep in memory.
const maxLine = 1 << 20

// lineError says what is wrong with one line; the next can be read.
type lineError string

func (e lineError) Error() string { return string(e) }

func badLine(format string, args ...any) error {
	return lineError(fmt.Sprintf(format, args...))
}

// open returns the input that name means.
func open(name string, stdin io.Reader) (io.ReadCloser, error) {
	switch name {
	case "":
		return io.NopCloser(strings.NewReader(defaultCalls)), nil
	case "-":
		return io.NopCloser(stdin), nil
	default:
		return os.Open(name)
	}
}

// lineReader reads the lines of a stream that are not blank, and counts all.
type lineReader struct {
	r *bufio.Reader
	n int
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, maxLine)}
}

// idle reports whether the next line may have to be waited for.
func (l *lineReader) idle() bool { return l.r.Buffered() == 0 }

// next returns the next line and its number, from 1. The line is valid until
// the next call. The error is io.EOF at the end, and a lineError for a
// line that was too long and is skipped.
func (l *lineReader) next() (int, []byte, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			return l.n, nil, io.EOF
		}
		l.n++
		if err == bufio.ErrBufferFull {
			for err == bufio.ErrBufferFull {
				_, err = l.r.ReadSlice('\n')
			}
			if err == nil || err == io.EOF {
				err = badLine("longer than %d bytes", maxLine)
			}
			return l.n, nil, err
		}
		if err != nil && err != io.EOF {
			return l.n, nil, err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return l.n, line, nil
		}
	}
}
