# SPDX-License-Identifier: MIT
# find_package(stt): the target stt::stt, which brings its headers along.
include(${CMAKE_CURRENT_LIST_DIR}/sttTargets.cmake)
