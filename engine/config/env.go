// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"os"
	"strings"
)

// A value may name further variables; this bounds one that names itself.
const maxExpansions = 1000

// expandEnv fills in ${NAME} from the environment, as Falco does it: a variable that is not set is empty, $${NAME} stands for a
// literal ${NAME}, a value that was filled in is looked at again, and what follows a $ without a brace stays as it is to the end.
func expandEnv(s string) (string, error) {
	pos, done := 0, 0
	for {
		i := strings.IndexByte(s[pos:], '$')
		if i < 0 {
			return s, nil
		}
		i += pos
		switch {
		case strings.HasPrefix(s[i:], "$${"):
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return s, nil
			}
			s = s[:i] + s[i+1:]
			pos = i + end // the closing brace moved one to the left
		case strings.HasPrefix(s[i:], "${"):
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return s, nil
			}
			if done++; done > maxExpansions {
				return "", errors.New("an environment variable names itself without end")
			}
			s = s[:i] + os.Getenv(s[i+2:i+end]) + s[i+end+1:]
			if len(s) > 1<<20 {
				return "", errors.New("a value grows beyond a megabyte when its environment variables are filled in")
			}
			pos = i
		default:
			return s, nil
		}
	}
}
