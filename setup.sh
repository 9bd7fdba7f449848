#!/usr/bin/env bash
# Set up a virtual environment in .venv that ranks networks, trains scorers and passes the tests.
#
# Linux and macOS; on Windows: pip install torch torchvision, then pip install -e '.[fit,search]'.
#
#   bash setup.sh              python3.11 if there is one, else any Python from 3.10 on
#   PYTHON=python3.12 bash setup.sh
#   TORCH="torch==2.14.1+cpu torchvision==0.29.1+cpu" PIP_EXTRA_INDEX_URL=… bash setup.sh
#
# Quick when nothing has changed; a set-up that was interrupted is begun again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

torch_pair=${TORCH:-torch==2.14.1 torchvision==0.29.1} # torchvision fits only the torch it was built for
venv=.venv
mark=$venv/.fxscore-setup # "begun", "updating" or "done KEY"; without it, .venv is not ours to clear

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PYTHONHOME
exec </dev/null

say() { printf 'fxscore set-up: %s\n' "$*"; }
fail() {
    printf 'fxscore set-up: %s\n' "$*" >&2
    exit 1
}

key() { printf '%s %s' "$({ cat pyproject.toml setup.sh && echo "$torch_pair"; } | cksum)" "$PWD"; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3 python3.12 python3.13 python3.10 python}; do
        if "$candidate" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "no Python from 3.10 on with the venv module (Debian, Ubuntu: apt-get install python3.11 python3.11-venv)"
}

# torchsort is compiled against torch: look for the compiler before the long downloads. Sets `compiler`, and `openmp` to
# "" where it has none (Apple's clang, clang without libomp).
find_compiler() {
    local include candidate
    include=$("$1" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
    for candidate in "${CXX:-g++}" c++ clang++; do
        if compiles "$candidate" '#include <omp.h>' -fopenmp "-I$include"; then openmp=yes; else openmp=; fi
        if [ -n "$openmp" ] || compiles "$candidate" '' "-I$include"; then
            compiler=$candidate
            return
        fi
    done
    fail "no C++ compiler with Python's headers (Debian, Ubuntu: apt-get install g++ python3-dev; macOS: xcode-select --install)"
}

compiles() {
    local candidate=$1 include=$2
    shift 2
    # shellcheck disable=SC2086 # CXX may hold options
    printf '#include <Python.h>\n%s\n' "$include" | $candidate "$@" -fsyntax-only -x c++ - 2>/dev/null
}

# torchsort asks for OpenMP and makes no use of it: a compiler that has none is not told of it.
compiler_without_openmp() {
    local wrapper=$1/c++
    printf '#!/usr/bin/env bash\nwords=()\nfor word in "$@"; do\n' >"$wrapper"
    printf '    case $word in -fopenmp | -Xpreprocessor) ;; *) words+=("$word") ;; esac\ndone\n' >>"$wrapper"
    printf 'exec %s "${words[@]}"\n' "$compiler" >>"$wrapper"
    chmod +x "$wrapper"
    printf '%s' "$wrapper"
}

install() {
    if [ -t 1 ]; then "$venv/bin/python" -m pip install "$@"; else "$venv/bin/python" -m pip install --quiet "$@"; fi
}

# The PATH without nvcc. A directory that holds nvcc may hold the compiler as well, so it is replaced
# by a directory of links to everything else in it.
path_without_nvcc() {
    local shadow=$1 directory links count=0 result=
    local -a directories
    IFS=: read -ra directories <<<"$PATH"
    for directory in "${directories[@]}"; do
        if [ -e "$directory/nvcc" ] || [ -L "$directory/nvcc" ]; then
            links=$shadow/$((++count))
            mkdir -p "$links"
            find -L "$(cd "$directory" && pwd)" -maxdepth 1 -type f ! -name nvcc \
                -exec sh -c 'links=$0; ln -s "$@" "$links"' "$links" {} +
            directory=$links
        fi
        result+=:$directory
    done
    printf '%s' "${result#:}"
}

# Not from pip's cache: a wheel in there may have been compiled against another torch.
# Without nvcc: torchsort compiles a CUDA extension wherever it finds nvcc, which fails without a usable GPU.
install_torchsort() {
    "$venv/bin/python" -c 'import torchsort' 2>/dev/null && return
    local shadow path
    shadow=$(mktemp -d)
    path=$(path_without_nvcc "$shadow")
    if [ -z "$openmp" ]; then
        say "$compiler has no OpenMP; torchsort is built without it"
        compiler=$(compiler_without_openmp "$shadow")
    fi
    if [ "$compiler" != g++ ]; then export CC="$compiler" CXX="$compiler"; fi
    env -u CUDA_HOME -u CUDA_PATH PATH="$path" "$venv/bin/python" -m pip install --quiet --no-cache-dir \
        --force-reinstall --no-deps --no-build-isolation 'torchsort>=0.1.10' || {
        rm -rf "$shadow"
        fail "torchsort did not compile; the reason is above"
    }
    rm -rf "$shadow"
}

create_venv() {
    local python=$1
    if [ -e $venv ]; then rm -rf $venv; fi
    mkdir $venv
    echo begun >$mark
    "$python" -m venv $venv
}

# Two set-ups at once in one folder would write over each other.
if command -v flock >/dev/null; then
    exec 9<setup.sh
    flock -n 9 || {
        say "waiting for another set-up in this folder"
        flock 9
    }
fi

state=$(cat $mark 2>/dev/null || true)
if [ -x $venv/bin/fxscore ] && [ "$state" = "done $(key)" ] && $venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

python=$(find_python)
find_compiler "$python"
if [ -e $venv ] && [ -x $venv/bin/python ] && $venv/bin/python -m pip --version >/dev/null 2>&1 &&
    { [ -z "$state" ] || [ "$state" = updating ] || [[ $state == "done "*" $PWD" ]]; }; then
    say "updating $venv"
    echo updating >$mark
else
    say "creating $venv with $("$python" --version)"
    create_venv "$python"
fi

say "1/3 torch and torchvision (some gigabytes on the first run)"
# shellcheck disable=SC2086 # two requirements
install $torch_pair
say "2/3 torchsort (compiled here, about a minute)"
install 'setuptools>=77' wheel
install_torchsort
say "3/3 fxscore and everything else"
# shellcheck disable=SC2086
install --no-build-isolation $torch_pair -e '.[all,test]'
$venv/bin/python -c 'import torch, torchvision, timm, torchsort, pymoo, fxscore' ||
    fail "the environment does not import; remove $venv and run again"
echo "done $(key)" >$mark
say "ready: $venv/bin/fxscore --help"
