/* SPDX-License-Identifier: MIT
 * slab: owns the memory of its steps, and the directory that finds them by index.
 *
 *   step    | ... | header | object 0  | tag | ... | object 1  | tag | ... |
 *                          ^ aligned               ^ + stride
 *
 * Invariants: a tag's generation is odd while its object is in use and even while it is not, and
 * only grows, also when the step's memory was released in between. Slots at or above `fresh` have
 * never been used since their memory came, and are untouched: a new step costs its allocation and
 * nothing more. A step is in with_room exactly when one of its slots is not in use.
 * It must not know what the objects are.
 *
 * Giving back twice, or what was never taken, is caught by assertion, and under AddressSanitizer an
 * object that is not in use cannot be touched. */
#include "stt/base/slab.h"

#include <assert.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, len)   ((void)(p), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(p, len) ((void)(p), (void)(len))
#endif

enum { DIRECTORY_MIN = 8 };

#define NONE UINT32_MAX

struct step {
    struct stt_list room;
    void *memory; /* as the env gave it */
    uint32_t number, in_use;
    uint32_t free; /* the slot given back last, or NONE */
    uint32_t unused;
};

/* The header lies right before the objects, so it must not break their alignment. */
static_assert(sizeof(struct step) % 8 == 0 && sizeof(struct stt_slab_tag) == 8, "steps are packed");

struct stt_slab_entry {
    struct step *step; /* NULL: shrunk away, or never needed */
    uint32_t fresh;
    uint32_t generation; /* where the tags of fresh slots start */
};

static size_t round_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static size_t step_bytes(const struct stt_slab *s)
{
    return sizeof(struct step) + s->shape.align + (size_t)s->stride * s->shape.step;
}

/* The last step may be cut short by max. */
static uint32_t step_slots(const struct stt_slab *s, uint32_t number)
{
    uint32_t rest = s->shape.max - (number << s->step_shift);
    return rest < s->shape.step ? rest : s->shape.step;
}

static void *object_at(const struct stt_slab *s, const struct step *step, uint32_t slot)
{
    return (uint8_t *)(step + 1) + (size_t)slot * s->stride;
}

static bool is_power_of_two(uint32_t n)
{
    return n && !(n & (n - 1));
}

void stt_slab_init(struct stt_slab *s, const struct stt_env *env,
                   const struct stt_slab_shape *shape)
{
    assert(is_power_of_two(shape->align) && shape->align >= 8 && shape->align <= 64);
    assert(is_power_of_two(shape->step) && shape->object_bytes && shape->object_bytes < 1u << 31);
    *s = (struct stt_slab){.env = env, .shape = *shape};
    s->tag_at = (uint32_t)round_up(shape->object_bytes, 8);
    s->stride = (uint32_t)round_up(s->tag_at + sizeof(struct stt_slab_tag), shape->align);
    while (1u << s->step_shift < shape->step)
        s->step_shift++;
    stt_list_init(&s->with_room);
}

static void release_step(struct stt_slab *s, struct stt_slab_entry *entry)
{
    struct step *step = entry->step;
    stt_list_remove(&step->room);
    ASAN_UNPOISON_MEMORY_REGION(step->memory, step_bytes(s));
    stt_env_release(s->env, step->memory, step_bytes(s));
    entry->step = NULL;
    s->held_steps--;
}

void stt_slab_fini(struct stt_slab *s)
{
    for (uint32_t i = 0; i < s->n_steps; i++)
        if (s->directory[i].step)
            release_step(s, &s->directory[i]);
    stt_env_release(s->env, s->directory, s->directory_size * sizeof *s->directory);
    s->directory = NULL;
    s->n_steps = s->directory_size = s->in_use = 0;
}

static bool grow_directory(struct stt_slab *s)
{
    uint32_t size = s->directory_size ? 2 * s->directory_size : DIRECTORY_MIN;
    struct stt_slab_entry *bigger = stt_env_alloc(s->env, size * sizeof *bigger);
    if (!bigger)
        return false;
    if (s->n_steps)
        memcpy(bigger, s->directory, s->n_steps * sizeof *bigger);
    stt_env_release(s->env, s->directory, s->directory_size * sizeof *s->directory);
    s->directory = bigger;
    s->directory_size = size;
    return true;
}

/* Not zeroed, so that the pages of a large step are not touched before they are used. */
static struct step *new_step(struct stt_slab *s, uint32_t number)
{
    void *memory = s->env->alloc(s->env->ctx, step_bytes(s));
    if (!memory)
        return NULL;
    uintptr_t objects = round_up((uintptr_t)memory + sizeof(struct step), s->shape.align);
    struct step *step = (struct step *)objects - 1;
    *step = (struct step){.memory = memory, .number = number, .free = NONE};
    ASAN_POISON_MEMORY_REGION((void *)objects, (size_t)s->stride * s->shape.step);
    stt_list_push_front(&s->with_room, &step->room);
    return step;
}

static bool grow(struct stt_slab *s)
{
    uint32_t number = s->lowest_hole;
    while (number < s->n_steps && s->directory[number].step)
        number++;
    if (number == s->directory_size && !grow_directory(s))
        return false;
    struct step *step = new_step(s, number);
    if (!step)
        return false;
    s->directory[number].step = step;
    s->held_steps++;
    s->lowest_hole = number + 1;
    if (number == s->n_steps)
        s->n_steps++;
    return true;
}

/* The step has room: its last free slot, or its next fresh one. */
static void *take_from(struct stt_slab *s, struct step *step)
{
    struct stt_slab_entry *entry = &s->directory[step->number];
    bool recycled = step->free != NONE;
    uint32_t slot = recycled ? step->free : entry->fresh++;
    void *object = object_at(s, step, slot);
    struct stt_slab_tag *tag = stt_slab_tag_of(s, object);
    ASAN_UNPOISON_MEMORY_REGION(object, s->stride);
    if (recycled)
        step->free = tag->index;
    else
        tag->generation = entry->generation;
    tag->generation++;
    tag->index = step->number << s->step_shift | slot;
    if (++step->in_use == step_slots(s, step->number))
        stt_list_remove(&step->room);
    return object;
}

void *stt_slab_take(struct stt_slab *s)
{
    if (stt_slab_is_full(s) || (stt_list_is_empty(&s->with_room) && !grow(s)))
        return NULL;
    void *object = take_from(s, STT_LIST_ENTRY(s->with_room.next, struct step, room));
    if (++s->in_use > s->peak)
        s->peak = s->in_use;
    return object;
}

/* The step with the object that was given back last is used first, for the cache; an empty one
 * last, so that shrinking finds it still empty. */
void stt_slab_give_back(struct stt_slab *s, void *object)
{
    struct stt_slab_tag *tag = stt_slab_tag_of(s, object);
    assert(tag->generation & 1);
    struct step *step = s->directory[tag->index >> s->step_shift].step;
    uint32_t slot = tag->index & (s->shape.step - 1);
    assert(object_at(s, step, slot) == object);

    tag->generation++;
    tag->index = step->free;
    step->free = slot;
    ASAN_POISON_MEMORY_REGION(object, s->tag_at);
    s->in_use--;
    stt_list_remove(&step->room);
    if (--step->in_use)
        stt_list_push_front(&s->with_room, &step->room);
    else
        stt_list_push_back(&s->with_room, &step->room);
}

void *stt_slab_at(const struct stt_slab *s, uint64_t id)
{
    uint32_t index = stt_slab_index(id), generation = (uint32_t)(id >> 32);
    uint32_t number = index >> s->step_shift, slot = index & (s->shape.step - 1);
    if (number >= s->n_steps || !s->directory[number].step || slot >= s->directory[number].fresh)
        return NULL;
    void *object = object_at(s, s->directory[number].step, slot);
    return stt_slab_tag_of(s, object)->generation == generation && (generation & 1) ? object : NULL;
}

/* Generations must outlive the memory, or ids from before would come alive again: the next tags
 * start where the highest of these ended. */
static void retire_generations(struct stt_slab *s, struct stt_slab_entry *entry)
{
    for (uint32_t slot = 0; slot < entry->fresh; slot++) {
        const struct stt_slab_tag *tag = stt_slab_tag_of(s, object_at(s, entry->step, slot));
        if (tag->generation > entry->generation)
            entry->generation = tag->generation;
    }
    entry->fresh = 0;
}

static void shrink_to(struct stt_slab *s, uint32_t steps)
{
    for (uint32_t i = s->n_steps; i-- > 0 && s->held_steps > steps;) {
        struct stt_slab_entry *entry = &s->directory[i];
        if (!entry->step || entry->step->in_use)
            continue;
        retire_generations(s, entry);
        release_step(s, entry);
        if (i < s->lowest_hole)
            s->lowest_hole = i;
    }
}

void stt_slab_shrink(struct stt_slab *s)
{
    shrink_to(s, 0);
}

void stt_slab_rest(struct stt_slab *s)
{
    shrink_to(s, (s->peak + s->shape.step - 1) >> s->step_shift);
    s->peak = s->in_use;
}
