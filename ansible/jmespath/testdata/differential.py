"""Writes random selectors, data and what Python's jmespath makes of them as JSON
lines: differential.py SEED COUNT. Members and strings are dressed up as
Ansible hands them to jmespath."""
import sys, json, random, io
import jmespath, jmespath.functions as F
# the aliases Ansible registers, and its own string type
class AnsibleUnicode(str): pass
F.REVERSE_TYPES_MAP['string']=F.REVERSE_TYPES_MAP['string']+('AnsibleUnicode',)
class Member:
    def __init__(s,d): s.d=d
    def get(s,k,default=None): return s.d.get(k,default)
    def values(s): return list(s.d.values())
def wrap(v):
    if isinstance(v,str): return AnsibleUnicode(v)
    if isinstance(v,list): return [wrap(x) for x in v]
    if isinstance(v,dict): return {k:wrap(x) for k,x in v.items()}
    return v
def unwrap(v):
    if isinstance(v,Member): return {"__member":v.d["inventory_hostname"]}
    if isinstance(v,list): return [unwrap(x) for x in v]
    if isinstance(v,dict): return {k:unwrap(x) for k,x in v.items()}
    if isinstance(v,jmespath.visitor._Expression): return {"__expr":1}
    return v
R=random.Random(int(sys.argv[1])); N=int(sys.argv[2])
fields=['pg_seq','pg_role','az','w','off','tags','cfg','nosuch','inventory_hostname','mixed','cfg.tier','cfg.n','"node-tier"']
lits=['`primary`','`1`','`1.0`','`true`','`null`','`"a"`','`01`','` x`','`{"tier":"gold"}`','`[1,"a"]`',"'primary'","'a'","''",'`2`','`false`','`"10.0.0.1"`',"'10.'",'`0`','`-1`','`x y`','`[]`','`1e2`']
def atom(d):
    k=R.random()
    if k<.5: return R.choice(fields)
    if k<.85: return R.choice(lits)
    if k<.9: return '@'
    return func(d-1)
def func(d):
    if d<0: return R.choice(fields)
    f=R.choice(['length','contains','starts_with','ends_with','to_string','to_number','type','not_null','reverse','sort','max','min','sum','avg','abs','ceil','floor','join','keys','values','map','sort_by','max_by','min_by','to_array','merge','nofunc'])
    a=lambda: expr(d-1)
    if f in('contains','starts_with','ends_with','join'): return f'{f}({a()}, {a()})'
    if f=='map': return f'map(&{a()}, {R.choice(["@",a()])})'
    if f in('sort_by','max_by','min_by'): return f'{f}({R.choice(["@",a()])}, &{a()})'
    if f in('not_null','merge'): return f'{f}({a()}, {a()})'
    return f'{f}({a()})'
def expr(d):
    if d<=0: return atom(d)
    k=R.random()
    if k<.3: return f'{expr(d-1)} {R.choice(["==","!=","<",">","<=",">="])} {expr(d-1)}'
    if k<.4: return f'{expr(d-1)} {R.choice(["&&","||"])} {expr(d-1)}'
    if k<.45: return f'!{expr(d-1)}'
    if k<.5: return f'({expr(d-1)})'
    if k<.6: return func(d-1)
    return atom(d)
def sel(d):
    k=R.random()
    if k<.4: s=f'[? {expr(d)} ]'
    elif k<.5: s=R.choice(['[]','[*]','@','[0]','[:2]','[-1:]','[::-1]','[1:3]','[::0]','*','[ ]','[:::]'])
    elif k<.6: s=f'[{sel(d-1) if d>0 else "@"}, {expr(d)}]'
    elif k<.65: s='{a: '+expr(d)+', b: @}'
    elif k<.75: s=func(d)
    elif k<.8: s=f'[].{R.choice(fields)}'
    else: s=expr(d)
    if R.random()<.3: s+=R.choice([' | [0]','[]','[0]','[*]',' | [:1]','[0][0:1]','[0][1]','.az','.*','[? pg_seq]','[?@]',' | @','[].az',' | [? az]'])
    if R.random()<.05: s=s.replace(R.choice('[]()?&|`'+"'"),R.choice(['','[',']','(']),1)
    return s
for i in range(N):
    pool=[]
    for n in range(R.randint(0,4)):
        d={'inventory_hostname':f'10.0.0.{n+1}','pg_seq':R.choice([n+1,n+1,n+1,str(n+1)]) ,'pg_role':R.choice(['primary','replica','offline'])}
        for f,vs in dict(az=['a','b','x y',''],w=[0,1,1.5,100,'1',True],off=[True,False,'true',1,0,None,[]],tags=[['x','y'],[],['a',1],'ab'],cfg=[{'tier':'gold'},{'tier':'iron','n':2},{}],mixed=[1,'a',None,2.0,True,[1],{'a':1}]).items():
            if R.random()<.7: d[f]=R.choice(vs)
        if R.random()<.3: d['node-tier']='t'
        pool.append(d)
    s=sel(R.randint(1,3))
    if 'to_string(@' in s: continue # prints the whole member, which nothing can predict
    try:
        r=jmespath.search(s,[Member({k:wrap(v) for k,v in m.items()}) for m in pool]); out={'ok':unwrap(r)}
        try: json.dumps(out)
        except Exception as e: continue
    except RecursionError: continue
    except Exception as e: out={'err':type(e).__name__+': '+str(e)[:100]}
    if 'object at 0x' in json.dumps(out.get('ok')): continue
    print(json.dumps({'s':s,'pool':pool,'out':out}))
